//! DM-ENR-037: how the sign-in page gives the device its token.

use crate::enroll::Step;
use crate::enroll::page::{Form, forms};
use crate::rules::finding::Place;
use crate::rules::{ExchangeCx, Sink, quoted};
use crate::syncml::Kind;

/// How addresses begin that lead back to the program that opened the page.
const APP: &str = "ms-app";

/// A page, or a redirection, that leads back to the device without a token in a form.
pub(in crate::rules) fn web_auth_return(cx: &ExchangeCx<'_>, out: &mut Sink<'_>) {
    let response = cx.response().filter(|cx| cx.message.judged().is_ok());
    let (Step::SignIn, Some(response), Some(head)) = (cx.step(), response, cx.response_head()) else { return };
    let place = Place::Message(response.index);
    if let Some(to) = head.header("location").filter(|to| (300..400).contains(&head.status) && leads_back(to)) {
        let text = format!("HTTP {} leads to {}; expected a page with a form that posts wresult there", head.status, shown(to));
        out.report(place, text);
        return;
    }
    if response.message.kind != Kind::Html {
        return;
    }
    let page = String::from_utf8_lossy(&response.message.body.bytes);
    let wanted = cx.whole.exchanges().filter(|cx| cx.step() == Step::SignIn).find_map(|cx| return_address(&cx.request_head()?.target));
    let back: Vec<Form> = forms(&page).into_iter().filter(|form| form.action.as_deref().is_some_and(leads_back)).collect();
    let wrong: Option<Vec<String>> = back.iter().map(|form| fault(form, wanted.as_deref())).collect();
    if let Some(text) = wrong.and_then(|wrong| wrong.into_iter().next()) {
        out.report(place, text);
    }
}

fn leads_back(address: &str) -> bool {
    address.trim().get(..APP.len()).is_some_and(|start| start.eq_ignore_ascii_case(APP))
}

/// Why the device does not get its token by a form; `None` when it does.
fn fault(form: &Form, wanted: Option<&str>) -> Option<String> {
    let action = form.action.as_deref().unwrap_or_default();
    let bare = |address: &str| address.trim().trim_end_matches('/').to_ascii_lowercase();
    let method = form.method.as_deref().unwrap_or("GET");
    match wanted.filter(|wanted| bare(action) != bare(wanted)) {
        _ if !form.has("wresult") => Some(format!("the form that goes to {} has no field wresult", shown(action))),
        _ if !method.eq_ignore_ascii_case("post") => Some(format!("the form with wresult is sent by {}; expected POST", quoted(method))),
        Some(wanted) => Some(format!("the form with wresult goes to {}; the device asked for {} (appru)", shown(action), shown(wanted))),
        None => None,
    }
}

/// An address without what may be a secret.
fn shown(address: &str) -> String {
    quoted(address.split(['?', '#']).next().unwrap_or_default())
}

/// `appru` of a request: where the device wants the token.
fn return_address(target: &str) -> Option<String> {
    let (_, query) = target.split_once('?')?;
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| name.eq_ignore_ascii_case("appru")).map(|(_, value)| unescaped(value))
}

/// A value of a query with `%3A` and the like taken for what they mean.
fn unescaped(value: &str) -> String {
    let mut pieces = value.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let code = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(code) => {
                bytes.push(code);
                bytes.extend(piece.get(2..).unwrap_or_default().as_bytes());
            }
            None => bytes.extend([b"%", piece.as_bytes()].concat()),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_return_address_is_read_from_the_query() {
        let address = |target| return_address(target);
        assert_eq!(address("/login?a=b&AppRu=ms-app%3a%2F%2Fs-1&login_hint=u").as_deref(), Some("ms-app://s-1"));
        assert_eq!(address("/login?appru=50%&x").as_deref(), Some("50%"));
        assert_eq!((address("/login"), address("/login?app=ms-app://s")), (None, None));
    }

    #[test]
    fn a_form_brings_the_token_to_whom_asked_for_it() {
        let form = |method: &str, action: &str, field: &str| Form {
            method: Some(method.into()),
            action: Some(action.into()),
            fields: vec![field.into()],
        };
        assert_eq!(fault(&form("POST", "ms-app://S-1/", "wresult"), Some("ms-app://s-1")), None);
        assert_eq!(fault(&form("post", "ms-app://s-1", "wresult"), None), None);
        for wrong in [form("get", "ms-app://s-1", "wresult"), form("post", "ms-app://s-2", "wresult"), form("post", "ms-app://s-1", "token")] {
            assert!(fault(&wrong, Some("ms-app://s-1")).is_some(), "{wrong:?}");
        }
    }
}
