//! What expressions can name, as tables: for `dmscope rules fields`, and for the documentation to be tested against.

use super::fields::{Field, Read};
use super::functions::{FUNCTIONS, Function, MACROS};
use super::read::scopes;
use super::types::{Kind, Type};

/// What is said of a field that a capture may not show.
const UNKNOWN: &str = " (not always known)";

/// A table of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// What they are names of.
    pub title: String,
    /// Name, type, and what it is.
    pub rows: Vec<[String; 3]>,
}

/// All tables: scopes, the fields of each kind of thing, functions, macros.
pub fn reference() -> Vec<Table> {
    let scopes = scopes().map(|(scope, roots)| {
        let roots: Vec<&str> = roots.iter().map(|kind| kind.name()).collect();
        [scope.name().to_owned(), String::new(), roots.join(", ")]
    });
    let fields = Kind::ALL.into_iter().map(|kind| {
        let row = |field: &Field| {
            let unknown = if matches!(field.read, Read::Shown(_)) { UNKNOWN } else { "" };
            [field.name.to_owned(), field.gives.to_string(), format!("{}{unknown}", field.doc)]
        };
        Table { title: kind.name().to_owned(), rows: kind.fields().iter().map(row).collect() }
    });
    let functions =
        FUNCTIONS.iter().map(|function| [signature(function), function.gives.to_string(), function.doc.to_owned()]);
    let macros = MACROS.iter().map(|(name, doc)| [format!("{name}(x, …)"), String::new(), (*doc).to_owned()]);
    let table = |title: &str, rows: Vec<[String; 3]>| Table { title: title.to_owned(), rows };
    let mut all = vec![table("scopes", scopes.collect())];
    all.extend(fields);
    all.push(table("functions", functions.collect()));
    all.push(table("macros", macros.collect()));
    all
}

/// `string.startsWith(string)`
fn signature(function: &Function) -> String {
    let takes: Vec<String> = function.takes.iter().map(told).collect();
    let on = function.on.as_ref().map(|on| format!("{}.", told(on))).unwrap_or_default();
    format!("{on}{}({})", function.name, takes.join(", "))
}

fn told(of: &Type) -> String {
    if *of == Type::ANY { "value".to_owned() } else { of.to_string() }
}
