//! Pages of the sign-in: the forms in their HTML.
//!
//! In: a page as text. Out: its forms. One pass; markup may be broken in any way. What scripts make of a page is not seen.
//! Bounds: `FORMS` and `FIELDS`.

/// Forms of a page that are kept.
const FORMS: usize = 16;
/// Fields of a form that are kept.
const FIELDS: usize = 256;

/// A form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// `method` as written; GET where there is none.
    pub method: Option<String>,
    /// `action`: where it goes.
    pub action: Option<String>,
    /// The names of its fields.
    pub fields: Vec<String>,
}

impl Form {
    /// Whether it has a field of that name, without case.
    pub fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|field| field.eq_ignore_ascii_case(name))
    }
}

/// The forms of a page, in order.
pub fn forms(page: &str) -> Vec<Form> {
    let (mut forms, mut open, mut rest) = (Vec::<Form>::new(), false, page);
    while let Some((_, behind)) = rest.split_once('<') {
        if let Some(comment) = behind.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, behind)| behind);
            continue;
        }
        let (tag, behind) = Tag::read(behind);
        rest = behind;
        match tag.name.to_ascii_lowercase().as_str() {
            "script" => rest = behind_script(rest),
            "form" => {
                open = forms.len() < FORMS;
                let form = Form { method: tag.value("method"), action: tag.value("action"), fields: Vec::new() };
                forms.extend(Some(form).filter(|_| open));
            }
            "/form" => open = false,
            "input" | "button" | "select" | "textarea" if open => {
                let form = forms.last_mut().filter(|form| form.fields.len() < FIELDS);
                if let Some((form, name)) = form.zip(tag.value("name")) {
                    form.fields.push(name);
                }
            }
            _ => {}
        }
    }
    forms
}

fn behind_script(text: &str) -> &str {
    let ends =
        |(at, _): &(usize, &str)| text.get(at + 2..at + 8).is_some_and(|name| name.eq_ignore_ascii_case("script"));
    text.match_indices("</").find(ends).and_then(|(at, _)| text.get(at..)).unwrap_or_default()
}

/// A tag: `form`, or `/form` of one that ends it.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
}

impl<'a> Tag<'a> {
    /// The tag that stands at the start of a text, and what is behind it.
    fn read(text: &'a str) -> (Tag<'a>, &'a str) {
        let slash = usize::from(text.starts_with('/'));
        let ends = |letter: char| letter.is_ascii_whitespace() || matches!(letter, '>' | '/');
        let end = text.get(slash..).and_then(|name| name.find(ends)).map_or(text.len(), |end| slash + end);
        let (name, mut rest) = text.split_at_checked(end).unwrap_or((text, ""));
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start_matches(|letter: char| letter.is_ascii_whitespace() || letter == '/');
            match rest.chars().next() {
                None => return (Tag { name, attributes }, ""),
                Some('>') => return (Tag { name, attributes }, rest.get(1..).unwrap_or_default()),
                Some(_) => {}
            }
            let (attribute, behind) = attribute(rest);
            attributes.push(attribute);
            rest = behind;
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        let (_, value) = self.attributes.iter().find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value.trim().replace("&amp;", "&"))
    }
}

/// The attribute at the start of a text that is not empty, and what is behind it.
fn attribute(text: &str) -> ((&str, &str), &str) {
    let ends = |letter: char| letter.is_ascii_whitespace() || matches!(letter, '=' | '>' | '/');
    // A name has one letter at least, so that there is an end to it.
    let first = text.chars().next().map_or(0, char::len_utf8);
    let end = text.get(first..).and_then(|rest| rest.find(ends)).map_or(text.len(), |end| first + end);
    let (name, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    let Some(value) = rest.trim_start().strip_prefix('=').map(str::trim_start) else { return ((name, ""), rest) };
    for quote in ['"', '\''] {
        if let Some(quoted) = value.strip_prefix(quote) {
            let (value, behind) = quoted.split_once(quote).unwrap_or((quoted, ""));
            return ((name, value), behind);
        }
    }
    let end = value.find(|letter: char| letter.is_ascii_whitespace() || letter == '>').unwrap_or(value.len());
    let (value, behind) = value.split_at_checked(end).unwrap_or((value, ""));
    ((name, value), behind)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn forms_are_found_in_pages_as_people_write_them() {
        let page = "<!DOCTYPE html><HTML><!-- <form action='no'> --><script>if (1<2) document.write('<form action=no>')</SCRIPT>\
            <FORM Method = post action=\"ms-app://a/?x=1&amp;y=2\" id=f><input type='hidden' name='wresult' value='<t>'/><INPUT NAME=wctx>\
            </form><input name=outside><form><select name='a'></select>";
        let found = forms(page);
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].method.as_deref(), found[0].action.as_deref()),
            (Some("post"), Some("ms-app://a/?x=1&y=2"))
        );
        assert_eq!(found[0].fields, ["wresult", "wctx"]);
        assert!(found[0].has("WResult") && !found[0].has("outside"));
        assert_eq!(found[1], Form { fields: vec!["a".into()], ..Form::default() });
    }

    #[test]
    fn broken_pages_end() {
        for page in [
            "",
            "<",
            "<form",
            "<form action",
            "<form action=",
            "<form action='",
            "<form =>",
            "<!--",
            "<script>",
            "<form \"\u{e4}=\u{e4}>",
            "</",
            "<//>",
        ] {
            assert!(forms(page).len() <= 1, "{page}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(page in "[<>/='\" a-f!\u{e4}-]{0,200}") {
            prop_assert!(forms(&page).len() <= FORMS);
        }
    }
}
