//! Who may listen, where not everybody may.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// Names and passwords.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Users(BTreeMap<String, String>);

/// Why a file of users cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum UsersError {
    /// It cannot be read.
    #[error("cannot read the users in {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A line is none of ours. It is not repeated: there may be a password in it.
    #[error("line {line} of {} is not NAME:PASSWORD", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Its number, from 1 on.
        line: usize,
    },
    /// Nobody is in it.
    #[error("there is no user in {}", path.display())]
    Nobody {
        /// The file.
        path: PathBuf,
    },
}

impl Users {
    /// Reads a file of lines `NAME:PASSWORD`. Empty lines and those that begin with `#` are passed
    /// over.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or a line is something else, or nobody is in it.
    pub fn read(path: &Path) -> Result<Self, UsersError> {
        let text = std::fs::read_to_string(path)
            .map_err(|reason| UsersError::Read { path: path.to_owned(), reason })?;
        let mut users = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()) {
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            let user = line.split_once(':').filter(|(name, _)| !name.is_empty());
            let wrong = || UsersError::Line { path: path.to_owned(), line: number };
            let (name, password) = user.ok_or_else(wrong)?;
            users.insert(name.to_owned(), password.to_owned());
        }
        match users.is_empty() {
            true => Err(UsersError::Nobody { path: path.to_owned() }),
            false => Ok(Self(users)),
        }
    }

    /// The password of a user.
    pub fn password(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

impl FromIterator<(String, String)> for Users {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(users: T) -> Self {
        Self(users.into_iter().collect())
    }
}

/// Passwords are not for logs.
impl fmt::Debug for Users {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_user_a_line_and_what_is_wrong_is_told_without_it() {
        let directory = std::env::temp_dir().join(format!("cantus-users-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("users");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            Users::read(&path)
        };
        let users = read("# ours\n\nann:a:b \nbob:\n").unwrap();
        assert_eq!((users.password("ann"), users.password("bob")), (Some("a:b "), Some("")));
        assert_eq!(users.password("eve"), None);
        assert_eq!(format!("{users:?}"), r#"{"ann", "bob"}"#);
        let wrong = read("ann:secret\nsecret\n").unwrap_err().to_string();
        assert!(wrong.starts_with("line 2 of ") && !wrong.contains("secret"), "{wrong}");
        assert!(matches!(read("# nobody\n"), Err(UsersError::Nobody { .. })));
        std::fs::remove_dir_all(&directory).unwrap();
        assert!(matches!(Users::read(&path), Err(UsersError::Read { .. })));
    }
}
