//! What an expression can give: the types of CEL, and the things of a session.

use std::fmt;

/// A type. Any value may be missing, which is null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) of: Base,
    /// How many lists stand around it.
    pub(super) lists: u8,
}

/// A type that is no list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Base {
    /// Not known before the rule runs.
    Any,
    Null,
    Bool,
    Int,
    Double,
    Text,
    Map,
    Object(Kind),
}

/// A kind of thing that has fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Session,
    Message,
    Header,
    Http,
    Command,
    Status,
    Alert,
    Item,
    Meta,
    Element,
}

impl Kind {
    pub(super) const ALL: [Kind; 10] = [
        Kind::Session,
        Kind::Message,
        Kind::Header,
        Kind::Http,
        Kind::Command,
        Kind::Status,
        Kind::Alert,
        Kind::Item,
        Kind::Meta,
        Kind::Element,
    ];

    /// As expressions and the documentation name it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Session => "session",
            Kind::Message => "message",
            Kind::Header => "header",
            Kind::Http => "http",
            Kind::Command => "command",
            Kind::Status => "status",
            Kind::Alert => "alert",
            Kind::Item => "item",
            Kind::Meta => "meta",
            Kind::Element => "element",
        }
    }
}

impl Base {
    pub(super) const fn one(self) -> Type {
        Type { of: self, lists: 0 }
    }

    pub(super) const fn list(self) -> Type {
        Type { of: self, lists: 1 }
    }
}

impl Type {
    pub(super) const ANY: Type = Base::Any.one();
    pub(super) const NULL: Type = Base::Null.one();
    pub(super) const BOOL: Type = Base::Bool.one();
    pub(super) const INT: Type = Base::Int.one();
    pub(super) const DOUBLE: Type = Base::Double.one();
    pub(super) const TEXT: Type = Base::Text.one();
    pub(super) const MAP: Type = Base::Map.one();

    /// A list of it.
    pub(super) fn listed(self) -> Type {
        Type { lists: self.lists.saturating_add(1), ..self }
    }

    /// What a list of this type holds, or a map has for keys; `None` where it is neither.
    pub(super) fn element(self) -> Option<Type> {
        match (self.lists, self.of) {
            (0, Base::Any | Base::Map | Base::Null) => Some(Type::ANY),
            (0, _) => None,
            (lists, of) => Some(Type { of, lists: lists - 1 }),
        }
    }

    pub(super) fn is(self, base: Base) -> bool {
        self == base.one()
    }

    /// Whether it may be of this type when the rule runs.
    pub(super) fn may_be(self, wanted: Type) -> bool {
        let open = |at: Type| at.lists == 0 && matches!(at.of, Base::Any | Base::Null);
        self == wanted
            || open(self)
            || open(wanted)
            || (self.lists == wanted.lists && (open(Type { lists: 0, ..self })))
    }

    pub(super) fn is_number(self) -> bool {
        self.may_be(Type::INT) || self.may_be(Type::DOUBLE)
    }

    /// Whether a value of this one can equal a value of the other.
    pub(super) fn compares_with(self, other: Type) -> bool {
        let numbers = |a: Type, b: Type| a.is(Base::Int) && b.is(Base::Double);
        match (self.element(), other.element()) {
            (Some(a), Some(b)) if self.lists > 0 && other.lists > 0 => a.compares_with(b),
            _ => self.may_be(other) || numbers(self, other) || numbers(other, self),
        }
    }

    /// The type of a value that is of one or of the other.
    pub(super) fn or(self, other: Type) -> Type {
        match (self, other) {
            (Type::NULL, known) | (known, Type::NULL) => known,
            (a, b) if a == b => a,
            (a, b) => match (a.element(), b.element()) {
                (Some(x), Some(y)) if a.lists > 0 && b.lists > 0 => x.or(y).listed(),
                _ => Type::ANY,
            },
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for _ in 0..self.lists {
            f.write_str("list(")?;
        }
        f.write_str(match self.of {
            Base::Any => "dyn",
            Base::Null => "null",
            Base::Bool => "bool",
            Base::Int => "int",
            Base::Double => "double",
            Base::Text => "string",
            Base::Map => "map",
            Base::Object(kind) => kind.name(),
        })?;
        (0..self.lists).try_for_each(|_| f.write_str(")"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_compare_as_their_values_can() {
        assert!(Type::INT.compares_with(Type::DOUBLE) && Type::NULL.compares_with(Type::TEXT));
        assert!(!Type::INT.compares_with(Type::TEXT) && !Type::TEXT.listed().compares_with(Type::TEXT));
        assert!(Type::INT.listed().compares_with(Type::DOUBLE.listed()));
        assert!(!Type::INT.listed().compares_with(Type::TEXT.listed()));
        assert!(Type::ANY.listed().may_be(Type::TEXT.listed()) && !Type::TEXT.listed().may_be(Type::INT.listed()));
    }

    #[test]
    fn a_type_is_written_as_in_cel() {
        assert_eq!(Type::TEXT.listed().listed().to_string(), "list(list(string))");
        assert_eq!(Type::INT.listed().or(Type::TEXT.listed()), Type::ANY.listed());
        assert_eq!(Type::NULL.or(Type::BOOL), Type::BOOL);
        assert_eq!(Base::Object(Kind::Item).list().element(), Some(Base::Object(Kind::Item).one()));
    }
}
