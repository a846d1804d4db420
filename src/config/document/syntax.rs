//! What the YAML parser stumbles over, in the words of somebody who writes a configuration file.

use granit_parser::ErrorKind as E;

/// A syntax error for people.
pub(super) struct Words {
    pub(super) message: String,
    pub(super) hint: Option<&'static str>,
}

/// Said of nesting beyond the limit.
pub(super) fn too_deep(limit: usize) -> String {
    format!("maps and lists nest more than {limit} deep here")
}

const MISFIT: &str = "this line does not fit the lines before it";

/// Explains an error of the parser at a byte of a line. Errors that the same slip of the pen leads to are told in the
/// same words.
pub(super) fn words(kind: &E, line: &str, at: usize) -> Words {
    if let Some(words) = conflict_marker(line) {
        return words;
    }
    let first_colon_of_line = line.get(..at).is_some_and(|before| !before.contains(':'));
    let (message, hint) = match kind {
        E::TabNotAllowed
        | E::TabInBlockIndentation
        | E::TabInIndentation
        | E::TabAtBlockScalarStart
        | E::TabInPlainScalar => (
            "a tab stands where only spaces may".to_owned(),
            Some("indent with spaces"),
        ),
        E::MappingValueNotAllowed if first_colon_of_line => (
            MISFIT.to_owned(),
            Some("give keys of the same map the same indentation, and put a space after every `:`"),
        ),
        E::MappingValueNotAllowed | E::InvalidColonPlacement => (
            "a second `: ` on this line".to_owned(),
            Some("put a text that contains `: ` in quotes, and every key on a line of its own"),
        ),
        E::SimpleKeyExpected | E::InvalidSimpleKey => (
            "this line is neither `key: value` nor `- item`".to_owned(),
            Some("add `: ` after the key, or put a text of several lines in quotes"),
        ),
        E::ExpectedBlockMappingKey
        | E::InvalidIndentation
        | E::ExpectedBlockSequenceEntry
        | E::MappingKeyNotAllowed
        | E::BlockSequenceEntryNotAllowed => (
            MISFIT.to_owned(),
            Some("give keys of the same map the same indentation, and close quotes that are open"),
        ),
        E::UnclosedQuotedScalar => (
            "the quotes that open here are not closed".to_owned(),
            Some("close them with the same kind of quote"),
        ),
        E::InvalidTrailingDoubleQuotedScalar | E::InvalidTrailingSingleQuotedScalar => (
            "something follows the closing quote".to_owned(),
            Some(
                "a quote inside a text is written `\\\"` in double quotes and `''` in single ones",
            ),
        ),
        E::InvalidQuotedScalarIndent | E::DocumentIndicatorInQuotedScalar => (
            "a quote that opens above is not closed".to_owned(),
            Some("close it, or indent the further lines of the text"),
        ),
        E::UnknownQuotedScalarEscape
        | E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => (
            "`\\` in double quotes begins an escape, and this is not one".to_owned(),
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        E::UnclosedFlowCollection { open } => (
            format!("the `{open}` that opens here is not closed"),
            Some("close it, or put a text that starts with it in quotes"),
        ),
        E::UnexpectedEofFlowSequence
        | E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::ExpectedFlowMappingSeparator
        | E::ExpectedFlowSequenceSeparator
        | E::MisplacedFlowCollectionEnd
        | E::MismatchedFlowCollectionEnd { .. }
        | E::BlockEntryInFlowCollection
        | E::InvalidFlowScalarIndent
        | E::FlowMappingValueAdjacentCollection => (
            "the brackets or commas before this do not match".to_owned(),
            Some(
                "close every `[` and `{`, put `,` between items, and texts that start with one in quotes",
            ),
        ),
        E::UnexpectedCharacter { character: '`' } => (
            "a text cannot begin with a backtick".to_owned(),
            Some("put the text in quotes"),
        ),
        E::UnexpectedCharacter { character } if character.is_control() => (
            format!(
                "the control character `{}` stands here",
                character.escape_unicode()
            ),
            Some("remove it, or write it as an escape in double quotes, such as `\\x7f`"),
        ),
        E::UnexpectedCharacter { character } => (
            format!("a text cannot begin with `{}`", character.escape_debug()),
            Some("put the text in quotes"),
        ),
        E::PlainScalarStartsWithDashFlowIndicator | E::UnexpectedEndOfPlainScalar => (
            "a text cannot begin like this".to_owned(),
            Some("put the text in quotes"),
        ),
        E::RecursionLimitExceeded => (too_deep(super::compose::MAX_DEPTH), None),
        E::CommentInterceptedScalar | E::CommentNotSeparated => (
            "a comment stands where none may".to_owned(),
            Some("put a space before `#`, or quotes around a text that contains it"),
        ),
        E::ZeroBlockScalarIndent | E::InvalidBlockScalarHeader | E::InvalidBlockScalarIndent => (
            "the lines after `|` or `>` are not a text block".to_owned(),
            Some("end the line after `|` or `>`, and indent the text by two spaces more"),
        ),
        E::InvalidBlockEntryWhitespace
        | E::InvalidMappingValueWhitespace
        | E::ExpectedWhitespace => (
            "a space is missing here".to_owned(),
            Some("put one space after `-` and after `:`, and indent with spaces, not tabs"),
        ),
        E::BomInsideDocument => (
            "a byte-order mark stands in the middle of the file".to_owned(),
            Some("remove the invisible character, or type the line again"),
        ),
        // The rest are mistakes in tags, anchors and directives, which few files have.
        other => (format!("this is not valid YAML: {other}"), None),
    };
    Words { message, hint }
}

/// What git leaves in a file when two changes meet.
fn conflict_marker(line: &str) -> Option<Words> {
    ["<<<<<<<", "=======", ">>>>>>>"]
        .iter()
        .any(|marker| line.starts_with(marker))
        .then(|| Words {
            message: "this line is a conflict marker of git".to_owned(),
            hint: Some("decide between the two versions, and remove the three marker lines"),
        })
}
