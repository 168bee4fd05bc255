//! The functions of expressions, and what each takes and gives.

use super::types::{Base, Kind, Type};

/// A function.
pub(super) struct Function {
    pub(super) name: &'static str,
    pub(super) call: Call,
    /// What it is called on; `None` for one that stands alone.
    pub(super) on: Option<Type>,
    /// What its arguments are.
    pub(super) takes: &'static [Type],
    pub(super) gives: Type,
    /// What it does, for the documentation.
    pub(super) doc: &'static str,
}

/// Which function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    Size,
    StartsWith,
    EndsWith,
    Contains,
    /// The pattern is part of the rule and was compiled with it.
    Matches,
    LowerAscii,
    UpperAscii,
    Trim,
    IndexOf,
    Substring,
    Split,
    Join,
    Int,
    Double,
    Text,
    HttpHeader,
    Attribute,
    Child,
}

const fn on(
    on: Type,
    name: &'static str,
    call: Call,
    takes: &'static [Type],
    gives: Type,
    doc: &'static str,
) -> Function {
    Function { name, call, on: Some(on), takes, gives, doc }
}

const fn alone(name: &'static str, call: Call, takes: &'static [Type], gives: Type, doc: &'static str) -> Function {
    Function { name, call, on: None, takes, gives, doc }
}

const TEXT: Type = Type::TEXT;
const INT: Type = Type::INT;
const HTTP: Type = Base::Object(Kind::Http).one();
const ELEMENT: Type = Base::Object(Kind::Element).one();

/// All functions; `has` and the macros are no functions.
pub(super) const FUNCTIONS: &[Function] = &[
    on(
        Type::ANY,
        "size",
        Call::Size,
        &[],
        INT,
        "number of characters of a string, of elements of a list, of entries of a map",
    ),
    alone("size", Call::Size, &[Type::ANY], INT, "the same"),
    on(TEXT, "startsWith", Call::StartsWith, &[TEXT], Type::BOOL, "whether it begins so"),
    on(TEXT, "endsWith", Call::EndsWith, &[TEXT], Type::BOOL, "whether it ends so"),
    on(TEXT, "contains", Call::Contains, &[TEXT], Type::BOOL, "whether that stands in it"),
    on(
        TEXT,
        "matches",
        Call::Matches,
        &[TEXT],
        Type::BOOL,
        "whether a regular expression fits a part of it; `^` and `$` bind it to the ends",
    ),
    alone("matches", Call::Matches, &[TEXT, TEXT], Type::BOOL, "the same"),
    on(TEXT, "lowerAscii", Call::LowerAscii, &[], TEXT, "the same with A to Z in lower case"),
    on(TEXT, "upperAscii", Call::UpperAscii, &[], TEXT, "the same with a to z in upper case"),
    on(TEXT, "trim", Call::Trim, &[], TEXT, "the same without white space at its ends"),
    on(
        TEXT,
        "indexOf",
        Call::IndexOf,
        &[TEXT],
        INT,
        "where that stands in it first, in characters from 0; -1 where it does not",
    ),
    on(TEXT, "substring", Call::Substring, &[INT], TEXT, "the characters from that one on, counted from 0"),
    on(TEXT, "substring", Call::Substring, &[INT, INT], TEXT, "the same up to the second one, which is not part of it"),
    on(TEXT, "split", Call::Split, &[TEXT], Base::Text.list(), "the pieces between that"),
    on(Base::Text.list(), "join", Call::Join, &[TEXT], TEXT, "all of them with that between"),
    alone("int", Call::Int, &[Type::ANY], INT, "a number of a string or a double"),
    alone("double", Call::Double, &[Type::ANY], Type::DOUBLE, "a number of a string or an int"),
    alone("string", Call::Text, &[Type::ANY], TEXT, "a string of a number or a bool"),
    on(
        HTTP,
        "header",
        Call::HttpHeader,
        &[TEXT],
        TEXT,
        "value of the first header of that name, without case; null where there is none",
    ),
    on(ELEMENT, "attribute", Call::Attribute, &[TEXT], TEXT, "value of the attribute of that name, without prefix"),
    on(ELEMENT, "child", Call::Child, &[TEXT], ELEMENT, "the first element of that name in it"),
];

/// The macros, as the documentation shows them.
pub(super) const MACROS: &[(&str, &str)] = &[
    ("all", "whether a condition holds for all elements"),
    ("exists", "whether it holds for one of them"),
    ("exists_one", "whether it holds for exactly one"),
    ("filter", "the elements for which it holds"),
    ("map", "what an expression gives for each; with a condition before it, for those for which that holds"),
];
