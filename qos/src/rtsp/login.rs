//! Log-in by name and password: Basic (RFC 7617) and Digest (RFC 7616).
//!
//! Digest also without `qop`, as RFC 2069 had it: that is what most players of RTSP do.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::HeaderError;

/// How a digest is made.
#[derive(Copy, Clone, Debug, Default, Eq, PartialEq)]
pub enum Algorithm {
    /// The one that every client knows.
    #[default]
    Md5,
    /// The one to be preferred.
    Sha256,
}

/// What a server asks for: one `WWW-Authenticate` header.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Challenge {
    /// Name and password as they are.
    Basic {
        /// What they are for.
        realm: String,
    },
    /// Proof of knowing the password.
    Digest {
        /// What it is for.
        realm: String,
        /// What the proof is made with, so that it proves nothing elsewhere.
        nonce: String,
        /// How it is made.
        algorithm: Algorithm,
    },
}

/// What a client shows: the `Authorization` header.
#[derive(Clone, Eq, PartialEq)]
pub enum Credentials {
    /// Name and password as they are.
    Basic {
        /// Who it is.
        name: String,
        /// What only they know.
        password: String,
    },
    /// Proof of knowing the password.
    Digest(DigestAnswer),
}

/// An answer to [`Challenge::Digest`].
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct DigestAnswer {
    /// Who it is.
    pub name: String,
    /// From the challenge.
    pub realm: String,
    /// From the challenge.
    pub nonce: String,
    /// What is asked for.
    pub uri: String,
    /// From the challenge.
    pub algorithm: Algorithm,
    /// The proof, in hexadecimal.
    pub response: String,
    /// With `qop=auth`: how often the nonce was used, and one of the client's own.
    pub counted: Option<(String, String)>,
}

impl Algorithm {
    /// The one of that name, whatever the case.
    fn named(name: &str) -> Option<Self> {
        [Self::Md5, Self::Sha256].into_iter().find(|it| it.name().eq_ignore_ascii_case(name))
    }

    /// The one whose proofs are as long as that. Clients that answer as RFC 2069 had it name no
    /// algorithm, and some of them know the newer one all the same (retina).
    fn of_length(response: &str) -> Self {
        if response.len() == 64 { Self::Sha256 } else { Self::Md5 }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

impl DigestAnswer {
    /// The proof that belongs to the rest (RFC 7616, section 3.4.1).
    pub fn proof(&self, method: &str, password: &str) -> String {
        let Self { name, realm, nonce, uri, algorithm, .. } = self;
        let secret = algorithm.hash(&format!("{name}:{realm}:{password}"));
        let asked = algorithm.hash(&format!("{method}:{uri}"));
        let counted = self.counted.as_ref();
        let counted = counted.map(|(count, own)| format!(":{count}:{own}:auth"));
        algorithm.hash(&format!("{secret}:{nonce}{}:{asked}", counted.unwrap_or_default()))
    }
}

impl Credentials {
    /// Who they say it is.
    pub fn name(&self) -> &str {
        match self {
            Self::Basic { name, .. } => name,
            Self::Digest(answer) => &answer.name,
        }
    }

    /// Whether a request of `method` shows that its sender knows `password`. Takes as long whatever
    /// is wrong with it. Whether realm and nonce are those of the challenge is not looked at.
    pub fn prove(&self, method: &str, password: &str) -> bool {
        let same = |shown: &str, right: &str| {
            // Of hashes, which are as long as each other.
            let (shown, right) = (Sha256::digest(shown), Sha256::digest(right));
            bool::from(shown.as_slice().ct_eq(right.as_slice()))
        };
        match self {
            Self::Basic { password: shown, .. } => same(shown, password),
            Self::Digest(answer) => {
                same(&answer.response.to_ascii_lowercase(), &answer.proof(method, password))
            }
        }
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { realm } => write!(f, "Basic realm=\"{realm}\""),
            Self::Digest { realm, nonce, algorithm } => {
                let algorithm = algorithm.name();
                write!(f, "Digest realm=\"{realm}\", nonce=\"{nonce}\", algorithm={algorithm}")
            }
        }
    }
}

impl Challenge {
    /// Reads what a server asks for: each of its `WWW-Authenticate` headers, or all of them in one,
    /// separated by commas (RFC 7616, section 3.3). What is not known here is left out: other
    /// schemes, algorithms and kinds of `qop`.
    pub fn read_all(value: &str) -> Vec<Self> {
        let mut asked: Vec<(&str, Vec<(&str, String)>)> = Vec::new();
        for (name, value) in parameters(value) {
            // The first parameter of a challenge has its scheme before it, and before that there may
            // be challenges without any.
            match (name.rsplit_once([' ', '\t']), asked.last_mut()) {
                (Some((before, name)), _) => {
                    let scheme = before.rsplit([' ', '\t', ',']).find(|word| !word.is_empty());
                    asked.push((scheme.unwrap_or_default(), vec![(name, value)]));
                }
                (None, Some((_, parameters))) => parameters.push((name, value)),
                (None, None) => {}
            }
        }
        let known = asked.iter().filter_map(|(scheme, parameters)| Self::read(scheme, parameters));
        known.collect()
    }

    fn read(scheme: &str, parameters: &[(&str, String)]) -> Option<Self> {
        let find = |name: &str| {
            let mut found = parameters.iter().filter(|(it, _)| it.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.clone())
        };
        let realm = find("realm").unwrap_or_default();
        if scheme.eq_ignore_ascii_case("Basic") {
            return Some(Self::Basic { realm });
        }
        let algorithm = match find("algorithm") {
            Some(name) => Algorithm::named(&name)?,
            None => Algorithm::default(),
        };
        let nonce = find("nonce").filter(|_| scheme.eq_ignore_ascii_case("Digest"))?;
        Some(Self::Digest { realm, nonce, algorithm })
    }

    /// How much it lets others learn who listen: less is better.
    fn weakness(&self) -> u8 {
        match self {
            Self::Digest { algorithm: Algorithm::Sha256, .. } => 0,
            Self::Digest { algorithm: Algorithm::Md5, .. } => 1,
            Self::Basic { .. } => 2,
        }
    }

    /// The best of several ways to log in.
    pub fn best(challenges: Vec<Self>) -> Option<Self> {
        challenges.into_iter().min_by_key(Self::weakness)
    }

    /// What `name` with `password` shows, to be allowed a request of `method` for `uri`. A digest is
    /// made without `qop`, which servers have to understand (RFC 7616, section 3.4).
    pub fn answer(&self, (name, password): (&str, &str), method: &str, uri: &str) -> Credentials {
        let name = name.to_owned();
        match self {
            Self::Basic { .. } => Credentials::Basic { name, password: password.to_owned() },
            Self::Digest { realm, nonce, algorithm } => {
                let mut answer = DigestAnswer {
                    name,
                    realm: realm.clone(),
                    nonce: nonce.clone(),
                    uri: uri.to_owned(),
                    algorithm: *algorithm,
                    ..Default::default()
                };
                answer.response = answer.proof(method, password);
                Credentials::Digest(answer)
            }
        }
    }
}

/// The value of an `Authorization` header. It is for the wire: `Debug` is what logs get.
impl fmt::Display for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { name, password } => {
                write!(f, "Basic {}", STANDARD.encode(format!("{name}:{password}")))
            }
            Self::Digest(answer) => {
                let DigestAnswer { name, realm, nonce, uri, algorithm, response, counted } = answer;
                let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
                write!(
                    f,
                    "Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\", \
                     algorithm={}, response=\"{response}\"",
                    quoted(name),
                    quoted(realm),
                    quoted(nonce),
                    quoted(uri),
                    algorithm.name()
                )?;
                match counted {
                    Some((count, own)) => {
                        write!(f, ", qop=auth, nc={count}, cnonce=\"{}\"", quoted(own))
                    }
                    None => Ok(()),
                }
            }
        }
    }
}

impl FromStr for Credentials {
    type Err = HeaderError;

    /// Reads `Basic BASE64` or `Digest username="…", realm="…", …`. The value of an error is never
    /// what was shown: it would end up in a log.
    fn from_str(value: &str) -> Result<Self, HeaderError> {
        let (scheme, rest) = value.trim().split_once(' ').unwrap_or((value, ""));
        let wrong = |reason| HeaderError::new("Authorization", scheme, reason);
        if scheme.eq_ignore_ascii_case("Basic") {
            let bytes = STANDARD.decode(rest.trim()).map_err(|_| wrong("it is not base64"))?;
            let text = String::from_utf8(bytes).map_err(|_| wrong("it is not UTF-8"))?;
            let (name, password) = text.split_once(':').ok_or_else(|| wrong("a `:` is missing"))?;
            return Ok(Self::Basic { name: name.to_owned(), password: password.to_owned() });
        }
        if !scheme.eq_ignore_ascii_case("Digest") {
            return Err(HeaderError::new("Authorization", "", "only Basic and Digest are known"));
        }
        let mut answer = DigestAnswer::default();
        let (mut count, mut own, mut qop) = (String::new(), String::new(), None);
        let mut algorithm = None;
        for (name, value) in parameters(rest) {
            match name.to_ascii_lowercase().as_str() {
                "username" => answer.name = value,
                "realm" => answer.realm = value,
                "nonce" => answer.nonce = value,
                "uri" => answer.uri = value,
                "response" => answer.response = value,
                "nc" => count = value,
                "cnonce" => own = value,
                "qop" => qop = Some(value),
                "algorithm" => {
                    let known = Algorithm::named(&value);
                    let unknown = || wrong("only MD5 and SHA-256 are known");
                    algorithm = Some(known.ok_or_else(unknown)?);
                }
                _ => {}
            }
        }
        answer.algorithm = algorithm.unwrap_or_else(|| Algorithm::of_length(&answer.response));
        answer.counted = match qop.as_deref() {
            None => None,
            Some("auth") => Some((count, own)),
            Some(_) => return Err(wrong("only qop=auth is known")),
        };
        Ok(Self::Digest(answer))
    }
}

/// Passwords are not for logs.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("name", &self.name()).finish_non_exhaustive()
    }
}

/// `name=value` or `name="value"`, separated by commas; a backslash takes the next character as it
/// is.
fn parameters(mut text: &str) -> impl Iterator<Item = (&str, String)> {
    std::iter::from_fn(move || {
        let (name, rest) = text.split_once('=')?;
        let name = name.trim_matches([' ', '\t', ',']);
        let rest = rest.trim_start();
        let (value, behind) = match rest.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => {
                let (value, behind) = rest.split_once(',').unwrap_or((rest, ""));
                (value.trim().to_owned(), behind)
            }
        };
        text = behind;
        Some((name, value))
    })
}

/// What stands before the closing quotation mark, and what behind it.
fn unquote(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &text[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, it)| it)),
            _ => value.push(character),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_rfc_7616_prove_their_password() {
        let digest = |algorithm: &str, response: &str| {
            format!(
                "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", \
                 uri=\"/dir/index.html\", algorithm={algorithm}, \
                 nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, \
                 cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", qop=auth, \
                 response=\"{response}\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
            )
        };
        let sha = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
        for (algorithm, response) in [("MD5", "8ca523f5e9506fed4657c9700eebdbec"), ("SHA-256", sha)]
        {
            let shown: Credentials = digest(algorithm, response).parse().unwrap();
            assert!(shown.prove("GET", "Circle of Life"), "{algorithm}");
            assert!(
                !shown.prove("GET", "Circle of Lies") && !shown.prove("PLAY", "Circle of Life")
            );
        }
    }

    #[test]
    fn without_qop_the_proof_is_that_of_rfc_2069() {
        // RFC 2617, section 3.5, without its qop: by hand.
        let mut answer = DigestAnswer {
            name: "Mufasa".into(),
            realm: "testrealm@host.com".into(),
            nonce: "dcd98b7102dd2f0e8b11d0f600bfb0c093".into(),
            uri: "/dir/index.html".into(),
            ..Default::default()
        };
        assert_eq!(answer.proof("GET", "Circle Of Life"), "670fd8c2df070c60b045671b8b24ff02");
        answer.counted = Some(("00000001".into(), "0a4f113b".into()));
        assert_eq!(answer.proof("GET", "Circle Of Life"), "6629fae49393a05397450978507c4ef1");
    }

    #[test]
    fn an_answer_that_names_no_algorithm_is_of_the_one_that_makes_proofs_of_its_length() {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            let challenge = Challenge::Digest { realm: "R".into(), nonce: "n".into(), algorithm };
            let answer = challenge.answer(("ann", "secret"), "PLAY", "rtsp://h/x").to_string();
            let unnamed = answer.replace(&format!("algorithm={}, ", algorithm.name()), "");
            assert_ne!(unnamed, answer);
            let shown: Credentials = unnamed.parse().unwrap();
            assert!(shown.prove("PLAY", "secret") && !shown.prove("PLAY", "other"), "{unnamed}");
        }
    }

    #[test]
    fn basic_is_name_and_password_in_base64() {
        let shown: Credentials = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".parse().unwrap();
        assert_eq!(shown.name(), "Aladdin");
        assert!(shown.prove("PLAY", "open sesame") && !shown.prove("PLAY", "open"));
        assert!(!format!("{shown:?}").contains("sesame"));
    }

    #[test]
    fn what_is_not_known_is_an_error_that_does_not_repeat_it() {
        for value in ["", "Basic", "Basic ?", "Basic c2VjcmV0", "Bearer secret", "secret"] {
            let error = value.parse::<Credentials>().unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
        assert!("Digest algorithm=SHA-512".parse::<Credentials>().is_err());
        assert!("Digest qop=auth-int".parse::<Credentials>().is_err());
    }

    #[test]
    fn of_several_challenges_the_best_is_answered_and_the_answer_proves_the_password() {
        let all = "Digest realm=\"R, S\", nonce=\"a\\\"b\", algorithm=MD5, \
            Digest realm=\"R, S\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\", \
            Digest realm=\"R\", nonce=\"n\", algorithm=SHA-512-256, Basic realm=\"B\", Bearer x=\"y\"";
        let read = Challenge::read_all(all);
        assert_eq!(read.len(), 3, "{read:?}");
        for challenge in &read {
            let answer = challenge.answer(("a\"b", "secret"), "PLAY", "rtsp://h/x").to_string();
            let shown: Credentials = answer.parse().unwrap();
            assert_eq!(shown.name(), "a\"b");
            assert!(shown.prove("PLAY", "secret") && !shown.prove("PLAY", "other"), "{answer}");
        }
        let (realm, nonce) = ("R, S".to_owned(), "n".to_owned());
        let best = Challenge::Digest { realm, nonce, algorithm: Algorithm::Sha256 };
        assert_eq!(Challenge::best(read), Some(best));
        assert_eq!(Challenge::best(Challenge::read_all("Negotiate")), None);
        let behind = Challenge::read_all("Negotiate, Basic realm=\"B\"");
        assert_eq!(behind, [Challenge::Basic { realm: "B".into() }]);
    }

    #[test]
    fn a_challenge_reads_back_as_it_was_written() {
        for text in ["Basic realm=\"Cantus\"", "Digest realm=\"C\", nonce=\"1\", algorithm=SHA-256"]
        {
            let read = Challenge::read_all(text);
            assert_eq!(read.iter().map(ToString::to_string).collect::<Vec<_>>(), [text]);
        }
    }

    proptest! {
        #[test]
        fn no_challenge_makes_the_reader_panic(text in "(Basic|Digest) .{0,200}") {
            for challenge in Challenge::read_all(&text) {
                let shown = challenge.answer(("n", "p"), "PLAY", "rtsp://h/").to_string();
                prop_assert!(shown.parse::<Credentials>().unwrap().prove("PLAY", "p"));
            }
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(Basic|Digest) .{0,200}") {
            if let Ok(shown) = text.parse::<Credentials>() {
                shown.prove("PLAY", "");
            }
        }
    }
}
