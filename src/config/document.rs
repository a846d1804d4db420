//! The YAML document as a tree in which every key and value knows its bytes in the text.

mod compose;
mod scalar;
mod syntax;

use std::{ops::Range, sync::Arc};

use indexmap::IndexMap;
use serde_json::Value;

pub(crate) use compose::compose;

use super::pointer;

/// A value as it is written once in the text; aliases share it.
#[derive(Debug)]
pub(super) struct Node {
    data: Data,
    /// Bytes of the text.
    span: Range<usize>,
    size: Size,
}

#[derive(Debug)]
enum Data {
    /// Text, number, boolean or null.
    Scalar(Value),
    List(Vec<Item>),
    Map(IndexMap<String, Member>),
}

/// A value where it is used: where it is written, or the alias that stands for it.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    at: Range<usize>,
    node: Arc<Node>,
}

/// A value of a map with its key.
#[derive(Clone, Debug)]
struct Member {
    key: Range<usize>,
    value: Item,
}

/// How much a value comes to once its aliases are expanded.
#[derive(Clone, Copy, Debug)]
struct Size {
    depth: usize,
    values: usize,
    bytes: usize,
}

/// What is known of a place in the tree.
#[derive(Clone, Copy)]
pub(crate) struct Found<'a> {
    key: Option<&'a Range<usize>>,
    item: &'a Item,
}

impl Item {
    /// The value as JSON, aliases expanded.
    pub(super) fn to_json(&self) -> Value {
        match &self.node.data {
            Data::Scalar(value) => value.clone(),
            Data::List(items) => items.iter().map(Self::to_json).collect(),
            Data::Map(members) => members
                .iter()
                .map(|(key, member)| (key.clone(), member.value.to_json()))
                .collect(),
        }
    }

    /// The member that a JSON pointer names, or its nearest ancestor that is in the document.
    pub(crate) fn nearest(&self, json_pointer: &str) -> Found<'_> {
        let mut found = Found {
            key: None,
            item: self,
        };
        for token in pointer::tokens(json_pointer) {
            match found.item.child(&token) {
                Some(child) => found = child,
                None => break,
            }
        }
        found
    }

    /// The member that a JSON pointer names.
    pub(super) fn get(&self, json_pointer: &str) -> Option<&Self> {
        pointer::tokens(json_pointer).try_fold(self, |item, token| Some(item.child(&token)?.item))
    }

    /// The keys of a map; none of anything else.
    pub(super) fn keys(&self) -> Vec<String> {
        match &self.node.data {
            Data::Map(members) => members.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    fn child(&self, token: &str) -> Option<Found<'_>> {
        match &self.node.data {
            Data::Scalar(_) => None,
            Data::List(items) => Some(Found {
                key: None,
                item: items.get(token.parse::<usize>().ok()?)?,
            }),
            Data::Map(members) => members.get(token).map(|member| Found {
                key: Some(&member.key),
                item: &member.value,
            }),
        }
    }
}

impl<'a> Found<'a> {
    /// The member of a map, or the item of a list, of this name.
    pub(crate) fn child(&self, token: &str) -> Option<Found<'a>> {
        self.item.child(token)
    }

    /// The members of a map in the order of the text; none of anything else.
    pub(crate) fn members(&self) -> Vec<(&'a str, Found<'a>)> {
        let Data::Map(members) = &self.item.node.data else {
            return Vec::new();
        };
        let found = |member: &'a Member| Found {
            key: Some(&member.key),
            item: &member.value,
        };
        members
            .iter()
            .map(|(key, member)| (key.as_str(), found(member)))
            .collect()
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> Vec<Found<'a>> {
        let Data::List(items) = &self.item.node.data else {
            return Vec::new();
        };
        let found = |item| Found { key: None, item };
        items.iter().map(found).collect()
    }

    /// The text, number, boolean or null that stands here.
    pub(crate) fn scalar(&self) -> Option<&'a Value> {
        match &self.item.node.data {
            Data::Scalar(value) => Some(value),
            Data::List(_) | Data::Map(_) => None,
        }
    }

    /// Whether this is a map.
    pub(crate) fn is_map(&self) -> bool {
        matches!(self.item.node.data, Data::Map(_))
    }

    /// Bytes to underline when the value is wrong: the value where it is written on one line, else its key.
    pub(super) fn span(&self, text: &str) -> Range<usize> {
        let value = &self.item.at;
        let on_one_line = !value.is_empty() && !text[value.clone()].contains('\n');
        match self.key {
            Some(key) if !on_one_line => key.clone(),
            _ => value.clone(),
        }
    }

    /// Bytes to underline when the key is wrong, or something is missing under it: the key, or what begins the value.
    pub(crate) fn head_span(&self) -> Range<usize> {
        match self.key {
            Some(key) => key.clone(),
            None => self.item.at.start..self.item.at.start + 1,
        }
    }

    /// The value as it is written, without quotes taken away or numbers normalized.
    pub(crate) fn raw<'t>(&self, text: &'t str) -> &'t str {
        &text[self.item.node.span.clone()]
    }
}
