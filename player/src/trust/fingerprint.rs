//! The name of a certificate that cannot be forged.

use std::fmt;
use std::str::FromStr;

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use rustls::pki_types::CertificateDer;

/// The SHA-256 of a certificate in DER form, written `sha256:` and 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; SHA256_OUTPUT_LEN]);

/// Text that is not a fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FingerprintError {
    /// Another digest, or none named.
    #[error("a fingerprint begins with 'sha256:', this one is '{0}'")]
    Scheme(String),
    /// Too few digits, or too many.
    #[error("a sha256 fingerprint has 64 hexadecimal digits, this one has {0} characters")]
    Length(usize),
    /// Something among the digits that is none.
    #[error("'{0}' is not a hexadecimal digit")]
    Digit(char),
}

impl Fingerprint {
    /// The fingerprint of a certificate.
    pub fn of(certificate: &CertificateDer<'_>) -> Self {
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Self(bytes)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text
            .strip_prefix("sha256:")
            .ok_or_else(|| FingerprintError::Scheme(text.chars().take(80).collect()))?;
        let length = digits.chars().count();
        if length != 2 * SHA256_OUTPUT_LEN {
            return Err(FingerprintError::Length(length));
        }
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        for (index, digit) in digits.chars().enumerate() {
            let value = digit.to_digit(16).ok_or(FingerprintError::Digit(digit))?;
            bytes[index / 2] = bytes[index / 2] << 4 | value as u8;
        }
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_fingerprint_is_the_sha256_of_the_der_bytes() {
        // The digest of "abc", from FIPS 180-4.
        let certificate = CertificateDer::from(b"abc".to_vec());
        assert_eq!(
            Fingerprint::of(&certificate).to_string(),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }

    #[test]
    fn a_fingerprint_has_exactly_64_digits() {
        let parse = |digits: usize| format!("sha256:{}", "a".repeat(digits)).parse::<Fingerprint>();
        assert_eq!(parse(63), Err(FingerprintError::Length(63)));
        assert!(parse(64).is_ok());
        assert_eq!(parse(65), Err(FingerprintError::Length(65)));
    }

    #[test]
    fn what_is_no_fingerprint_is_refused_with_what_was_wrong() {
        let md5 = "md5:00".parse::<Fingerprint>();
        assert_eq!(md5, Err(FingerprintError::Scheme("md5:00".into())));
        let letter = format!("sha256:{}g", "0".repeat(63)).parse::<Fingerprint>();
        assert_eq!(letter, Err(FingerprintError::Digit('g')));
    }

    proptest! {
        #[test]
        fn a_fingerprint_survives_being_written_down(bytes: [u8; 32]) {
            let fingerprint = Fingerprint(bytes);
            prop_assert_eq!(fingerprint.to_string().parse(), Ok(fingerprint));
            let shouted = fingerprint.to_string().to_uppercase().replace("SHA256", "sha256");
            prop_assert_eq!(shouted.parse(), Ok(fingerprint));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC{0,90}") {
            let _ = text.parse::<Fingerprint>();
            let _ = format!("sha256:{text}").parse::<Fingerprint>();
        }
    }
}
