//! For which sessions something holds that the user set: by input, server and device.
//!
//! In: patterns. Out: whether a session is one of them. What is not known matches no pattern.

use std::path::{Component, Path, PathBuf};

use crate::http::InputId;
use crate::pattern::Pattern;
use crate::session::Session;
use crate::syncml::uri;

/// Patterns of sessions. All kinds that are given must hold, of each kind one.
#[derive(Clone, Debug, Default)]
pub struct Area {
    paths: Vec<Pattern>,
    servers: Vec<Pattern>,
    devices: Vec<Pattern>,
    /// Which inputs the patterns of paths hold for.
    inputs: Vec<bool>,
}

/// Where something was seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen<'a> {
    /// The input.
    pub input: Option<InputId>,
    /// The server: its address, or its host alone.
    pub server: Option<&'a str>,
    /// The device.
    pub device: Option<&'a str>,
}

impl<'a> Seen<'a> {
    /// A session.
    pub fn of(session: &'a Session) -> Seen<'a> {
        let input = session.messages.first().map(|message| message.input);
        Seen { input, server: session.server.as_deref(), device: session.device.as_deref() }
    }
}

impl Area {
    /// Patterns of paths, servers and devices. One of paths without `/` is of names in any folder.
    pub fn new(paths: Vec<Pattern>, servers: Vec<Pattern>, devices: Vec<Pattern>) -> Area {
        Area { paths, servers, devices, inputs: Vec::new() }
    }

    /// The patterns, by the name of the key that sets them.
    pub fn patterns(&self) -> [(&'static str, &[Pattern]); 3] {
        [("path", &self.paths), ("server", &self.servers), ("device", &self.devices)]
    }

    /// Looks which of these inputs the patterns of paths, which are relative to `folder`, hold for.
    pub fn for_inputs<'n>(&mut self, folder: &Path, names: impl Iterator<Item = &'n str>) {
        if !self.paths.is_empty() {
            let relative = names.map(|name| relative(folder, name));
            self.inputs = relative.map(|name| self.paths.iter().any(|path| holds_for(path, &name))).collect();
        }
    }

    /// Whether something was seen in it.
    pub fn holds(&self, seen: Seen<'_>) -> bool {
        let input = || seen.input.and_then(|input| self.inputs.get(input.0 as usize)).copied().unwrap_or_default();
        let server = |pattern: &Pattern| seen.server.is_some_and(|server| is_server(pattern, server));
        let device = |pattern: &Pattern| seen.device.is_some_and(|device| pattern.matches(device));
        (self.paths.is_empty() || input())
            && (self.servers.is_empty() || self.servers.iter().any(server))
            && (self.devices.is_empty() || self.devices.iter().any(device))
    }
}

/// A pattern with `://` is of the whole address, else of the host.
fn is_server(pattern: &Pattern, server: &str) -> bool {
    let whole = pattern.as_str().contains("://");
    pattern.matches(if whole { server } else { uri::host(server).unwrap_or(server) })
}

fn holds_for(pattern: &Pattern, name: &str) -> bool {
    let in_any_folder = !pattern.as_str().contains('/');
    pattern.matches(if in_any_folder { name.rsplit('/').next().unwrap_or(name) } else { name })
}

/// The name of an input relative to a folder, with `/` between its parts; as it stands when it lies elsewhere.
fn relative(folder: &Path, name: &str) -> String {
    let absolute = |path: &Path| std::path::absolute(path).map(|path| plain(&path)).unwrap_or_else(|_| path.to_owned());
    let (path, folder) = (absolute(Path::new(name)), absolute(&Path::new(".").join(folder)));
    let inside = path.strip_prefix(folder).map_or(path.as_path(), |inside| inside);
    let text = if name == "-" { name.to_owned() } else { inside.display().to_string() };
    if std::path::MAIN_SEPARATOR == '/' { text } else { text.replace(std::path::MAIN_SEPARATOR, "/") }
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => _ = out.pop(),
            part => out.push(part),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(path: &[&str], server: &[&str]) -> Area {
        let patterns = |all: &[&str]| all.iter().map(|text| Pattern::caseless(text)).collect();
        Area::new(patterns(path), patterns(server), Vec::new())
    }

    #[test]
    fn inputs_are_named_from_the_folder_of_the_file() {
        let holds = |pattern: &str, folder: &str, name: &str| {
            let mut area = area(&[pattern], &[]);
            area.for_inputs(Path::new(folder), [name].into_iter());
            area.holds(Seen { input: Some(InputId(0)), ..Seen::default() })
        };
        assert!(holds("captures/*.pcap", "", "./captures/a.pcap") && holds("a.pcap", "", "captures/a.pcap"));
        assert!(holds("sub/a.pcap", "..", &format!("{}/../sub/a.pcap", std::env::current_dir().unwrap().display())));
        assert!(!holds("captures/*.pcap", "captures", "captures/a.pcap") && holds("/x/**", "", "/x/y/a.pcap"));
        assert!(holds("-", "", "-") && !holds("a.pcap", "", "-"));
    }

    #[test]
    fn servers_are_named_by_host_or_address() {
        let holds = |pattern: &str, server| area(&[], &[pattern]).holds(Seen { server, ..Seen::default() });
        let server = Some("https://mdm.example.test:8443/manage");
        assert!(holds("*.example.test", server) && holds("MDM.example.test", server) && !holds("example.test", server));
        assert!(holds("https://*/manage", server) && !holds("http://*/manage", server));
        assert!(!holds("*", None) && holds("mdm.example.test", Some("mdm.example.test")));
        assert!(area(&[], &[]).holds(Seen::default()));
    }
}
