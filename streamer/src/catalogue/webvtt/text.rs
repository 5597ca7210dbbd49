//! The text of a cue (section 4.2.2): tags stripped, entities decoded.

/// What is to be read, without markup and without control characters, which could drive the
/// terminal that shows it. Lines are parted by `\n`.
pub(super) fn plain(marked: &str) -> String {
    let decoded = decode(&strip_tags(marked));
    let lines = decoded.split('\n').map(|line| {
        let line = line.replace('\t', " ");
        line.replace(|c: char| c.is_control(), "").trim().to_owned()
    });
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Leaves out what stands between `<` and `>`. A `<` that nothing closes is text.
fn strip_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((_tag, following)) = after.split_once('>') else {
            break;
        };
        plain.push_str(before);
        rest = following;
    }
    plain.push_str(rest);
    plain
}

/// Decodes `&name;`, `&#10;` and `&#xa;`. What is no entity stays as it is.
fn decode(text: &str) -> String {
    /// Longer than any entity that is known.
    const LONGEST: usize = 10;
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        decoded.push_str(before);
        let end = after.bytes().take(LONGEST).position(|byte| byte == b';');
        let entity = end.and_then(|end| Some((entity(&after[..end])?, end + 1)));
        let (character, length) = entity.unwrap_or(('&', 0));
        decoded.push(character);
        rest = &after[length..];
    }
    decoded.push_str(rest);
    decoded
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return char::from_u32(code.ok()?);
    }
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some('\u{a0}'),
        "lrm" => Some('\u{200e}'),
        "rlm" => Some('\u{200f}'),
        _ => None,
    }
}
