//! Whatever bytes a capture holds, the screen shows no character that acts on a terminal, reorders text or hides.

use proptest::prelude::*;

use super::{VIEWS, buffer, press, wire};
use crate::escape;
use crate::input::{self, Kind};
use crate::tui::app::{App, Effect};
use crate::tui::keys::Keys;
use crate::tui::load::Job;
use crate::tui::store::Store;
use crate::tui::theme::Theme;

/// What does harm on a terminal.
const HARM: &[&str] = &[
    "\u{1b}[2J",
    "\u{1b}]0;owned\u{7}",
    "\u{9b}31m",
    "\u{202e}",
    "\u{2066}",
    "\u{200b}",
    "\r",
    "\n",
    "\t",
    "\u{8}",
    "\0",
    "\u{feff}",
    "\u{e0041}",
    "\u{7f}",
    "a\u{300}\u{301}\u{302}",
    "设",
    "<",
    ">",
    "&",
    "\"",
    "]]>",
    "-->",
    "<!--",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(HARM).prop_map(str::to_owned),
        "[ -~]{0,12}",
        any::<String>().prop_map(|text| text.chars().take(8).collect()),
    ];
    prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// A message with hostile text wherever text can stand.
fn message(texts: &[String; 6]) -> Vec<u8> {
    let [uri, data, id, name, meta, tail] = texts;
    format!(
        "<SyncML xmlns=\"SYNCML:SYNCML1.2\" {name}=\"{uri}\"><SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto>\
         <SessionID>{id}</SessionID><MsgID>1</MsgID><Target><LocURI>{uri}</LocURI></Target><Source><LocURI>d{uri}</LocURI>\
         </Source><Cred><Data>{data}</Data></Cred><Meta><MaxMsgSize>{meta}</MaxMsgSize></Meta></SyncHdr><SyncBody>\
         <Alert><CmdID>2</CmdID><Data>1201</Data></Alert><Replace><CmdID>{id}</CmdID><Item><Source><LocURI>{uri}</LocURI>\
         </Source><Meta><Type>{meta}</Type></Meta><Data>{data}</Data></Item><{name}>{data}</{name}></Replace><Final/>\
         </SyncBody></SyncML>{tail}"
    )
    .into_bytes()
}

/// One HTTP request in a capture.
fn capture(text: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /{text} HTTP/1.1\r\nHost: {text}\r\nContent-Type: application/vnd.syncml.dm+xml\r\nX-{text}: {text}\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    wire::pcap(&[(0, wire::From::Client, &[head.as_bytes(), body].concat())])
}

/// Opens a file of that name with those bytes.
pub(super) fn opened(name: &str, bytes: &[u8], kind: Option<Kind>) -> Option<App> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let inputs = input::collect(&[path], kind).ok()?;
    let mut store = Store::all(&Job::of(inputs));
    store.names = vec![name.to_owned()];
    Some(App::new(store, Theme::dark(), Keys::default()))
}

/// Goes through every view and looks at every cell.
fn look(mut app: App) -> Result<(), TestCaseError> {
    for (_, keys) in VIEWS {
        press(&mut app, keys);
        while app.search_on(std::time::Duration::from_millis(5)) {}
        for (width, height) in [(60, 16), (120, 40)] {
            let buffer = buffer(&mut app, width, height);
            for cell in &buffer.content {
                let hidden = cell.symbol().chars().find(|letter| escape::is_hidden(*letter));
                prop_assert_eq!(hidden, None, "{:?} after {}", cell.symbol(), keys);
            }
        }
        for effect in app.effects() {
            if let Effect::Copy(text) = effect {
                let hidden = text.chars().find(|letter| escape::is_hidden(*letter) && !matches!(letter, '\n' | '\t'));
                prop_assert_eq!(hidden, None, "copied {:?}", text);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_text_of_a_message_acts_on_the_terminal(
        texts in prop::array::uniform6(text()), head in text(), name in text(), noise in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let mut bytes = message(&texts);
        for (at, byte) in noise {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let name: String = name.chars().filter(|letter| !matches!(letter, '/' | '\0')).take(20).collect();
        let name = format!("x{name}.pcap");
        if let Some(app) = opened(&name, &capture(&head.replace(['\r', '\n'], ""), &bytes), Some(Kind::Pcap)) {
            look(app)?;
        }
        if let Some(app) = opened(&name, &bytes, Kind::all().find(|kind| kind.name() == "xml")) {
            look(app)?;
        }
    }

    #[test]
    fn no_bytes_of_a_file_act_on_the_terminal(
        bytes in prop::collection::vec(any::<u8>(), 0..2000), kind in prop::sample::select(Kind::all().collect::<Vec<_>>()),
    ) {
        if let Some(app) = opened("bytes", &bytes, Some(kind)) {
            look(app)?;
        }
    }
}

#[test]
fn what_is_typed_and_noted_is_shown_safely() {
    let mut app = super::app("clean.pcap");
    press(&mut app, "tab ;");
    app.paste("a\u{202e}b\u{1b}[31mc");
    press(&mut app, "enter f");
    app.paste("\u{2066}=\u{200b}");
    let shown = super::views::text(&buffer(&mut app, 100, 30));
    assert!(!shown.chars().any(|letter| escape::is_hidden(letter) && letter != '\n'), "{shown}");
    press(&mut app, "esc");
    assert!(super::views::text(&buffer(&mut app, 100, 30)).contains("note: a\\u{202e}b[31mc"));
}
