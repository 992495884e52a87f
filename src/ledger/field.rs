//! What the fields of a record hold: each type is written in one form, and read only in that form.

use super::codec::{Cursor, LineFault, member, quote};
use std::borrow::Cow;
use std::ops::Deref;

/// The form of a field, as documentation and other readers have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// A string.
    Text,
    /// An officer's name.
    Officer,
    /// The digest of a request.
    Request,
    /// The digest of an object of the log.
    Object,
    /// The digest of an object of the log, or nothing.
    OptionalObject,
    /// A whole number from 0 to 2^53 - 1.
    Int,
    /// `true` or `false`.
    Flag,
    /// A list.
    List(&'static Shape),
    /// A JSON object with these members.
    Members(&'static [Field]),
    /// May be missing at a line's end: it came later.
    Later(&'static Shape),
}

/// A field: its name and its form.
pub type Field = (&'static str, Shape);

/// What a field names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Named<'a> {
    /// An officer.
    Officer(&'a str),
    /// A request, by its digest.
    Request(&'a str),
    /// An object of the log, by its digest.
    Object(&'a str),
}

/// What a field holds.
pub(crate) trait Value<'a>: Sized {
    /// Its form.
    const SHAPE: Shape;

    /// Writes it.
    fn write(&self, out: &mut String);

    /// Reads what [`Value::write`] writes, and nothing else.
    ///
    /// # Errors
    /// Something else stands there.
    fn read(cursor: &mut Cursor<'a>) -> Result<Self, LineFault>;

    /// Hands over what it names.
    fn names<'s>(&'s self, _visit: &mut dyn FnMut(Named<'s>)) {}

    /// Writes it as a member, after this character.
    fn write_member(&self, before: char, name: &str, out: &mut String) {
        member(before, name, out);
        self.write(out);
    }

    /// Reads it as a member, after this character.
    ///
    /// # Errors
    /// Something else stands there.
    fn read_member(before: u8, name: &'static str, cursor: &mut Cursor<'a>) -> Result<Self, LineFault> {
        cursor.member(before, name)?;
        Self::read(cursor)
    }
}

/// Some members of a JSON object, in order: the fields of a record, or of an item of a list.
pub(crate) trait Members<'a>: Sized {
    /// Their names and forms.
    const FIELDS: &'static [Field];

    /// Writes them, the first one after this character.
    fn write(&self, before: char, out: &mut String);

    /// Reads what [`Members::write`] writes, and nothing else.
    ///
    /// # Errors
    /// Something else stands there.
    fn read(before: u8, cursor: &mut Cursor<'a>) -> Result<Self, LineFault>;

    /// Hands over what they name.
    fn names<'s>(&'s self, visit: &mut dyn FnMut(Named<'s>));

    /// Hands over each as JSON, for tables whose columns are the fields.
    fn columns(&self, visit: &mut dyn FnMut(&'static Field, String));
}

/// Text that means nothing else.
pub(crate) type Text<'a> = Cow<'a, str>;

impl<'a> Value<'a> for Text<'a> {
    const SHAPE: Shape = Shape::Text;

    fn write(&self, out: &mut String) {
        quote(self, out);
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, LineFault> {
        cursor.text()
    }
}

/// Text that names something: a type of its own for each, so that the table of records says what.
macro_rules! names {
    ($($(#[$doc:meta])* $name:ident: $shape:ident, $named:ident;)*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
            pub struct $name<'a>(Cow<'a, str>);

            impl<'a> Value<'a> for $name<'a> {
                const SHAPE: Shape = Shape::$shape;

                fn write(&self, out: &mut String) {
                    quote(self, out);
                }

                fn read(cursor: &mut Cursor<'a>) -> Result<Self, LineFault> {
                    Ok($name(cursor.text()?))
                }

                fn names<'s>(&'s self, visit: &mut dyn FnMut(Named<'s>)) {
                    if Self::SHAPE != Shape::OptionalObject || !self.is_empty() {
                        visit(Named::$named(self));
                    }
                }
            }

            impl Deref for $name<'_> {
                type Target = str;

                fn deref(&self) -> &str {
                    &self.0
                }
            }

            impl<'a, T: Into<Cow<'a, str>>> From<T> for $name<'a> {
                fn from(text: T) -> $name<'a> {
                    $name(text.into())
                }
            }

            impl PartialEq<str> for $name<'_> {
                fn eq(&self, other: &str) -> bool {
                    self.0 == other
                }
            }
        )*
    };
}

names! {
    /// An officer's name.
    OfficerName: Officer, Officer;
    /// The digest of a request.
    RequestDigest: Request, Request;
    /// The digest of an object of the log: whoever has the log has its bytes.
    Object: Object, Object;
    /// The same, or nothing.
    OptionalObject: OptionalObject, Object;
}

impl<'a> Value<'a> for u64 {
    const SHAPE: Shape = Shape::Int;

    fn write(&self, out: &mut String) {
        out.push_str(&self.to_string());
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, LineFault> {
        cursor.int()
    }
}

impl<'a> Value<'a> for bool {
    const SHAPE: Shape = Shape::Flag;

    fn write(&self, out: &mut String) {
        out.push_str(if *self { "true" } else { "false" });
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, LineFault> {
        cursor.flag()
    }
}

impl<'a, T: Value<'a>> Value<'a> for Vec<T> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);

    fn write(&self, out: &mut String) {
        out.push('[');
        for (index, item) in self.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            item.write(out);
        }
        out.push(']');
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, LineFault> {
        cursor.list(T::read)
    }

    fn names<'s>(&'s self, visit: &mut dyn FnMut(Named<'s>)) {
        self.iter().for_each(|item| item.names(visit));
    }
}

/// A field that came later: a line of 0.1 ends before it.
impl<'a, T: Value<'a>> Value<'a> for Option<T> {
    const SHAPE: Shape = Shape::Later(&T::SHAPE);

    fn write(&self, out: &mut String) {
        self.iter().for_each(|value| value.write(out));
    }

    fn read(cursor: &mut Cursor<'a>) -> Result<Self, LineFault> {
        T::read(cursor).map(Some)
    }

    fn names<'s>(&'s self, visit: &mut dyn FnMut(Named<'s>)) {
        self.iter().for_each(|value| value.names(visit));
    }

    fn write_member(&self, before: char, name: &str, out: &mut String) {
        self.iter().for_each(|value| value.write_member(before, name, out));
    }

    fn read_member(before: u8, name: &'static str, cursor: &mut Cursor<'a>) -> Result<Self, LineFault> {
        match cursor.is_at_end_of_object() {
            true => Ok(None),
            false => T::read_member(before, name, cursor).map(Some),
        }
    }
}

/// Structs whose fields are written as the members of a JSON object, in this order.
macro_rules! members {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => {
        $(
            $(#[$doc])*
            #[allow(missing_docs, reason = "docs/log.md says what they are")]
            #[derive(Clone, PartialEq, Eq, Debug)]
            pub struct $name<'a> {
                $(pub $field: $type,)*
            }

            impl<'a> $crate::ledger::field::Members<'a> for $name<'a> {
                const FIELDS: &'static [$crate::ledger::field::Field] =
                    &[$((stringify!($field), <$type as $crate::ledger::field::Value<'a>>::SHAPE)),*];

                fn write(&self, mut before: char, out: &mut String) {
                    $(
                        $crate::ledger::field::Value::write_member(&self.$field, before, stringify!($field), out);
                        before = ',';
                    )*
                    let _ = before;
                }

                fn read(
                    mut before: u8,
                    cursor: &mut $crate::ledger::codec::Cursor<'a>,
                ) -> Result<Self, $crate::ledger::codec::LineFault> {
                    $(
                        let $field =
                            $crate::ledger::field::Value::read_member(before, stringify!($field), cursor)?;
                        before = b',';
                    )*
                    let _ = before;
                    Ok($name { $($field),* })
                }

                fn names<'s>(&'s self, visit: &mut dyn FnMut($crate::ledger::field::Named<'s>)) {
                    $($crate::ledger::field::Value::names(&self.$field, visit);)*
                }

                fn columns(&self, visit: &mut dyn FnMut(&'static $crate::ledger::field::Field, String)) {
                    let mut fields = Self::FIELDS.iter();
                    $(
                        let mut json = String::new();
                        $crate::ledger::field::Value::write(&self.$field, &mut json);
                        fields.next().into_iter().for_each(|field| visit(field, std::mem::take(&mut json)));
                    )*
                }
            }
        )*
    };
}
pub(super) use members;

/// An item of a list is a JSON object.
macro_rules! items {
    ($($name:ident),*) => {
        $(
            impl<'a> Value<'a> for $name<'a> {
                const SHAPE: Shape = Shape::Members(<$name<'a> as Members<'a>>::FIELDS);

                fn write(&self, out: &mut String) {
                    Members::write(self, '{', out);
                    out.push('}');
                }

                fn read(cursor: &mut Cursor<'a>) -> Result<Self, LineFault> {
                    let item = Members::read(b'{', cursor)?;
                    cursor.word(b"}", "the end of the record")?;
                    Ok(item)
                }

                fn names<'s>(&'s self, visit: &mut dyn FnMut(Named<'s>)) {
                    Members::names(self, visit);
                }
            }
        )*
    };
}

members! {
    /// A line of a check of the machine or the program.
    Check { name: Text<'a>, outcome: Text<'a> }
    /// A finding of a review.
    Finding { check: Text<'a>, severity: Text<'a> }
    /// A file of a request, which is an object of the log.
    RequestFile { name: Text<'a>, sha256: Object<'a> }
    /// A signature that held.
    HeldSignature { file: Text<'a>, keyid: Text<'a> }
    /// An officer's approval, in the entry of this number.
    ApprovalAt { officer: OfficerName<'a>, seq: u64 }
}

/// From pairs, as checks and findings are handed on.
macro_rules! from_pairs {
    ($($name:ident { $first:ident, $second:ident })*) => {
        $(
            impl<'a, A: Into<Text<'a>>, B: Into<Text<'a>>> From<(A, B)> for $name<'a> {
                fn from((first, second): (A, B)) -> $name<'a> {
                    $name { $first: first.into(), $second: second.into() }
                }
            }
        )*
    };
}

from_pairs! {
    Check { name, outcome }
    Finding { check, severity }
    HeldSignature { file, keyid }
}

items!(Check, Finding, RequestFile, HeldSignature, ApprovalAt);
