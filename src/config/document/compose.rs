//! From the parser's events to the tree: anchors, merge keys, duplicate keys, and the limits that stop hostile files.

use std::{collections::HashMap, ops::Range, sync::Arc};

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use indexmap::{IndexMap, map::Entry};
use serde_json::Value;

use super::{Data, Item, Member, Node, Size, scalar, syntax};
use crate::config::{
    pointer,
    problem::{MOST, Problem},
    source::{MAX_BYTES, Source},
    words::shorten,
};

/// How deep maps and lists may nest. The deepest key of the format is at 6.
pub(super) const MAX_DEPTH: usize = 32;
/// How many values a document may have, aliases expanded.
const MAX_VALUES: usize = 10_000;
/// How many bytes of text they may have, aliases expanded.
const MAX_TEXT: usize = 2 * MAX_BYTES;
/// How long a key may be, in bytes.
const MAX_KEY: usize = 1024;

/// Reads the one document of a source.
///
/// The tree is missing when the text cannot be read to its end; the problems say why. With a tree, there can be
/// problems too: keys that are there twice, a second document.
pub(crate) fn compose(source: &Source) -> (Option<Item>, Vec<Problem>) {
    let mut composer = Composer::new(source);
    let tree = match composer.documents() {
        Ok(tree) => tree,
        Err(Stop(problem)) => {
            composer.problems.push(problem);
            None
        }
    };
    (tree, composer.problems)
}

/// Reading cannot go on.
struct Stop(Problem);

struct Composer<'a> {
    source: &'a Source,
    parser: Parser<'a, StrInput<'a>>,
    /// Values with an anchor, by the number that the parser gives to it.
    anchors: HashMap<usize, Arc<Node>>,
    /// Keys and list indexes from the root to where reading is.
    path: Vec<String>,
    /// Values made so far, whether or not they are still part of the tree.
    made: usize,
    problems: Vec<Problem>,
}

/// A map while it is read.
#[derive(Default)]
struct OpenMap {
    members: IndexMap<String, Member>,
    /// The maps that `<<` brings in, and where it stands.
    merged: Vec<(Arc<Node>, Range<usize>)>,
}

impl<'a> Composer<'a> {
    fn new(source: &'a Source) -> Self {
        let mut options = granit_parser::options! {
            emit_unresolved_aliases: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        options.set_emit_comments(false);
        Self {
            source,
            parser: Parser::new_from_str_with_options(source.text(), options),
            anchors: HashMap::new(),
            path: Vec::new(),
            made: 0,
            problems: Vec::new(),
        }
    }

    fn documents(&mut self) -> Result<Option<Item>, Stop> {
        let mut first = None;
        let mut documents = 0;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(first),
                (Event::DocumentStart(..), at) => {
                    documents += 1;
                    if documents == 2 {
                        let problem = self.problem(
                            at,
                            "a second document starts here",
                            Some("keep one document and remove the line `---`"),
                        );
                        self.problems.push(problem);
                        return Ok(first);
                    }
                    let (event, at) = self.next()?;
                    first = Some(self.item(event, at)?);
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'a>, Range<usize>), Stop> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, self.bytes(&span))),
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => Ok((Event::StreamEnd, self.end())),
        }
    }

    /// Makes the value that starts with an event.
    fn item(&mut self, event: Event<'a>, at: Range<usize>) -> Result<Item, Stop> {
        let (anchor, node) = match event {
            Event::Alias(id) => return self.alias(id, at),
            Event::UnresolvedAlias(name) => {
                let message = format!("no value is named `&{}` above this line", shorten(&name));
                return Err(self.stop(
                    at,
                    message,
                    Some("a text that starts with `*` needs quotes"),
                ));
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = self.scalar(&text, style, tag.as_deref(), &at);
                (anchor, self.node(Data::Scalar(value), at)?)
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", &at)?;
                (anchor, self.list(at.start)?)
            }
            Event::MappingStart(_, anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", &at)?;
                (anchor, self.map(at.start)?)
            }
            _ => return Err(self.stop(at, "a value is missing here", None)),
        };
        let at = node.span.clone();
        let node = Arc::new(node);
        if anchor != 0 {
            self.anchors.insert(anchor, Arc::clone(&node));
        }
        Ok(Item { at, node })
    }

    /// A scalar without a value is noted, and taken for text, so that reading goes on.
    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        at: &Range<usize>,
    ) -> Value {
        scalar::value(text, style, tag).unwrap_or_else(|wrong| {
            if self.problems.len() <= MOST {
                let problem = self.problem(at.clone(), wrong.message, Some(wrong.hint));
                self.problems.push(problem);
            }
            Value::String(text.to_owned())
        })
    }

    fn alias(&mut self, id: usize, at: Range<usize>) -> Result<Item, Stop> {
        let Some(node) = self.anchors.get(&id).cloned() else {
            return Err(self.stop(
                at,
                "this alias is inside the value that it stands for",
                None,
            ));
        };
        Ok(Item { at, node })
    }

    /// `!!map` on a list and the like; tags of applications say nothing here and are passed over.
    fn collection_tag(
        &self,
        tag: Option<&Tag>,
        wanted: &str,
        at: &Range<usize>,
    ) -> Result<(), Stop> {
        match tag.and_then(Tag::core_suffix) {
            Some(found) if found != wanted => {
                let message = format!("the tag `!!{}` does not fit here", shorten(found));
                Err(self.stop(at.clone(), message, Some("remove the tag")))
            }
            _ => Ok(()),
        }
    }

    fn list(&mut self, start: usize) -> Result<Node, Stop> {
        let mut items: Vec<Item> = Vec::new();
        loop {
            let (event, at) = self.next()?;
            if event == Event::SequenceEnd {
                return self.node(Data::List(items), start..at.end);
            }
            self.path.push(items.len().to_string());
            items.push(self.item(event, at)?);
            self.path.pop();
        }
    }

    fn map(&mut self, start: usize) -> Result<Node, Stop> {
        let mut map = OpenMap::default();
        loop {
            let (event, at) = self.next()?;
            if event == Event::MappingEnd {
                let end = at.end;
                self.merge(&mut map)?;
                return self.node(Data::Map(map.members), start..end);
            }
            let merges = matches!(
                &event,
                Event::Scalar(text, style, _, None) if text == "<<" && scalar::is_plain(*style)
            );
            let (key, key_at) = self.key(event, at)?;
            self.path.push(key);
            let (event, at) = self.next()?;
            let value = self.item(event, at)?;
            let key = self.path.pop().expect("the key was pushed above");
            if merges {
                self.add_merge(&mut map, &key_at, &value)?;
            } else {
                self.add_member(&mut map, key, key_at, value)?;
            }
        }
    }

    /// A key is the text that is written, whatever its value would be: `1`, `true` and `null` are keys.
    fn key(&mut self, event: Event<'a>, at: Range<usize>) -> Result<(String, Range<usize>), Stop> {
        let key = match &event {
            Event::Scalar(text, _, 0, _) => text.to_string(),
            Event::Scalar(text, ..) => {
                let text = text.to_string();
                // For its anchor.
                self.item(event, at.clone())?;
                text
            }
            _ => self.unusual_key(event, at.clone())?,
        };
        if key.len() > MAX_KEY {
            return Err(self.stop(at, "this key is longer than 1024 bytes", None));
        }
        if key.contains('\0') {
            return Err(self.stop(at, scalar::NUL, None));
        }
        Ok((key, at))
    }

    /// An alias, which is fine if it stands for a text; a list or a map, which is not.
    fn unusual_key(&mut self, event: Event<'a>, at: Range<usize>) -> Result<String, Stop> {
        let item = self.item(event, at)?;
        let (message, hint) = match &item.node.data {
            Data::Scalar(Value::String(text)) => return Ok(text.clone()),
            Data::Scalar(_) => {
                return Ok(self.source.text()[item.node.span.clone()].to_owned());
            }
            Data::List(_) => (
                "a list cannot be a key",
                "a text that starts with `[` needs quotes",
            ),
            Data::Map(_) => (
                "a map cannot be a key",
                "a text that starts with `{` needs quotes",
            ),
        };
        Err(self.stop(item.at, message, Some(hint)))
    }

    fn add_member(
        &mut self,
        map: &mut OpenMap,
        key: String,
        at: Range<usize>,
        value: Item,
    ) -> Result<(), Stop> {
        match map.members.entry(key) {
            Entry::Vacant(entry) => {
                entry.insert(Member { key: at, value });
            }
            Entry::Occupied(entry) => {
                let first = self.source.line_at(entry.get().key.start);
                let key = shorten(entry.key());
                let problem = Problem {
                    pointer: pointer::child(&self.pointer(), entry.key()),
                    place: self.source.place(at),
                    message: format!("`{key}` is already there, on line {first}"),
                    hint: Some("keep one of the two".to_owned()),
                };
                if self.problems.len() > MOST {
                    return Err(Stop(problem));
                }
                self.problems.push(problem);
            }
        }
        Ok(())
    }

    fn add_merge(
        &mut self,
        map: &mut OpenMap,
        at: &Range<usize>,
        value: &Item,
    ) -> Result<(), Stop> {
        let merged: Vec<&Item> = match &value.node.data {
            Data::Map(_) => vec![value],
            Data::List(items) => items.iter().collect(),
            Data::Scalar(_) => vec![],
        };
        let is_map = |item: &&Item| matches!(item.node.data, Data::Map(_));
        if merged.is_empty() || !merged.iter().all(is_map) {
            return Err(self.stop(
                value.at.clone(),
                "`<<` takes a map or a list of maps",
                Some("name the map with `&defaults`, then write `<<: *defaults`"),
            ));
        }
        let merged = merged.into_iter().map(|item| Arc::clone(&item.node));
        map.merged.extend(merged.map(|node| (node, at.clone())));
        Ok(())
    }

    /// Adds what `<<` brings in: keys of the map itself come first, then the maps in their order.
    fn merge(&mut self, map: &mut OpenMap) -> Result<(), Stop> {
        for (node, at) in std::mem::take(&mut map.merged) {
            let Data::Map(members) = &node.data else {
                continue;
            };
            self.count(members.len(), &at)?;
            for (key, member) in members {
                map.members
                    .entry(key.clone())
                    .or_insert_with(|| member.clone());
            }
        }
        Ok(())
    }

    /// Makes a node and holds it to the limits, aliases expanded.
    fn node(&mut self, data: Data, span: Range<usize>) -> Result<Node, Stop> {
        self.count(1, &span)?;
        let size = match &data {
            Data::Scalar(Value::String(text)) => Size::of_text(text.len()),
            Data::Scalar(_) => Size::of_text(0),
            Data::List(items) => Size::around(items.iter().map(|item| (0, &item.node.size))),
            Data::Map(members) => Size::around(
                members
                    .iter()
                    .map(|(key, member)| (key.len(), &member.value.node.size)),
            ),
        };
        if size.depth > MAX_DEPTH {
            return Err(self.stop(span, syntax::too_deep(MAX_DEPTH), None));
        }
        if size.values > MAX_VALUES || size.bytes > MAX_TEXT {
            return Err(self.too_large(span));
        }
        Ok(Node { data, span, size })
    }

    fn count(&mut self, values: usize, at: &Range<usize>) -> Result<(), Stop> {
        self.made += values;
        if self.made > MAX_VALUES {
            return Err(self.too_large(at.clone()));
        }
        Ok(())
    }

    fn too_large(&self, at: Range<usize>) -> Stop {
        self.stop(
            at,
            format!("the file grows beyond {MAX_VALUES} values here"),
            Some("use fewer keys, or fewer aliases (`*name`) of large values"),
        )
    }

    fn syntax_error(&self, error: &ScanError) -> Stop {
        let text = self.source.text();
        let at = text.floor_char_boundary(error.marker().byte_offset().unwrap_or(0));
        let (start, line) = self.source.line(self.source.line_at(at));
        let words = syntax::words(error.kind(), line, at - start);
        // One character, so that there is something to underline.
        let width = text[at..].chars().next().map_or(0, char::len_utf8);
        self.stop(at..at + width, words.message, words.hint)
    }

    fn stop(&self, at: Range<usize>, message: impl Into<String>, hint: Option<&str>) -> Stop {
        Stop(self.problem(at, message, hint))
    }

    fn problem(&self, at: Range<usize>, message: impl Into<String>, hint: Option<&str>) -> Problem {
        Problem {
            pointer: self.pointer(),
            place: self.source.place(at),
            message: message.into(),
            hint: hint.map(str::to_owned),
        }
    }

    fn pointer(&self) -> String {
        self.path
            .iter()
            .fold(String::new(), |parent, key| pointer::child(&parent, key))
    }

    fn bytes(&self, span: &Span) -> Range<usize> {
        span.byte_range().unwrap_or_else(|| self.end())
    }

    fn end(&self) -> Range<usize> {
        let end = self.source.text().len();
        end..end
    }
}

impl Size {
    fn of_text(bytes: usize) -> Self {
        Self {
            depth: 0,
            values: 1,
            bytes,
        }
    }

    fn around<'n>(children: impl Iterator<Item = (usize, &'n Size)>) -> Self {
        children.fold(
            Self {
                depth: 1,
                values: 1,
                bytes: 0,
            },
            |sum, (key, child)| Self {
                depth: sum.depth.max(child.depth + 1),
                values: sum.values.saturating_add(child.values),
                bytes: sum.bytes.saturating_add(key).saturating_add(child.bytes),
            },
        )
    }
}
