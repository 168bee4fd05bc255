//! Packets from an interface through libpcap, and BPF filters for frames of any origin.
//!
//! In: an interface, perhaps a filter and a file to save to. Out: [`Frame`]s as from a file. libpcap keeps what is not
//! read yet in a buffer of fixed size and counts what it must drop; nothing here grows.

use std::io;
use std::net::IpAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use pcap::{Active, BpfProgram, Capture, Device, Linktype, PacketHeader, Savefile};
use thiserror::Error;

use super::{Delivery, Frame, Summary};
use crate::limits::Limits;
use crate::time::Time;

/// What keeps a capture from beginning. The texts within are libpcap's.
#[derive(Debug, Error)]
pub enum Error {
    /// The interfaces cannot be listed.
    #[error("cannot list interfaces: {0}")]
    List(pcap::Error),
    /// The interface cannot be opened: it does not exist, or this user may not.
    #[error("cannot capture on {0}: {1}")]
    Open(String, pcap::Error),
    /// The filter expression is wrong.
    #[error("bad filter {0:?}: {1}")]
    Filter(String, pcap::Error),
    /// The file to save to cannot be written.
    #[error("cannot write {0}: {1}")]
    Save(PathBuf, pcap::Error),
    /// The privileges cannot be given up.
    #[error("cannot give up privileges: {0}")]
    Privileges(String),
    /// libpcap takes names of files in UTF-8 only.
    #[error("cannot write {0}: its name is not UTF-8")]
    SaveName(PathBuf),
}

/// An interface that packets can be captured on.
#[derive(Clone, Debug)]
pub struct Interface {
    /// The name to open it by.
    pub name: String,
    /// What the system calls it for people.
    pub description: Option<String>,
    /// Its addresses.
    pub addresses: Vec<IpAddr>,
    /// Whether it is up.
    pub up: bool,
    /// Whether it is the loopback interface.
    pub loopback: bool,
}

/// The interfaces of this machine, as libpcap orders them: the likeliest first.
///
/// # Errors
/// [`Error::List`].
pub fn interfaces() -> Result<Vec<Interface>, Error> {
    let told = |device: Device| Interface {
        addresses: device.addresses.iter().map(|address| address.addr).collect(),
        up: device.flags.is_up(),
        loopback: device.flags.is_loopback(),
        name: device.name,
        description: device.desc,
    };
    Ok(Device::list().map_err(Error::List)?.into_iter().map(told).collect())
}

/// Gives up all that opening an interface took more rights for, before there are other threads: from here on a fault in a parser has
/// those of a plain user, and what it runs has no more. Root becomes who called `sudo`, or nobody. With `reads_on`, files of other
/// users that are read while packets come (key logs) can still be read.
///
/// # Errors
/// [`Error::Privileges`].
#[cfg(target_os = "linux")]
pub fn drop_privileges(reads_on: bool) -> Result<(), Error> {
    use rustix::thread::{self, CapabilitySet, CapabilitySets};
    let refused = |error: rustix::io::Errno| Error::Privileges(error.to_string());
    thread::set_no_new_privs(true).map_err(refused)?;
    let had = thread::capabilities(None).map_err(refused)?.permitted;
    let kept = if reads_on { had & CapabilitySet::DAC_READ_SEARCH } else { CapabilitySet::empty() };
    if rustix::process::geteuid().is_root() {
        leave_root().map_err(refused)?;
    }
    let sets = CapabilitySets { effective: kept, permitted: kept, inheritable: CapabilitySet::empty() };
    thread::set_capabilities(None, sets).map_err(refused)
}

/// Becomes who called `sudo`, or nobody; the capabilities stay for now.
#[cfg(target_os = "linux")]
fn leave_root() -> rustix::io::Result<()> {
    use rustix::process::{Gid, Uid};
    use rustix::thread;
    const NOBODY: u32 = 65_534;
    let id = |name: &str| std::env::var(name).ok()?.parse().ok().filter(|id: &u32| *id != 0);
    let (user, group) = id("SUDO_UID").zip(id("SUDO_GID")).unwrap_or((NOBODY, NOBODY));
    let (user, group) = (Uid::from_raw(user), Gid::from_raw(group));
    thread::set_keep_capabilities(true)?;
    thread::set_thread_groups(&[])?;
    thread::set_thread_res_gid(group, group, group)?;
    thread::set_thread_res_uid(user, user, user)
}

/// Other systems have no capabilities.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn drop_privileges(_reads_on: bool) -> Result<(), Error> {
    Ok(())
}

/// An interface that is being captured on.
pub struct Live {
    capture: Capture<Active>,
    save: Option<(PathBuf, Savefile)>,
}

/// Pause when no packet is there. libpcap's own wait does not end on Linux before a packet comes.
const PAUSE: Duration = Duration::from_millis(5);

/// Bytes of libpcap's buffer. In immediate mode each packet takes as much of it as the longest could.
const BUFFER: i32 = 32 * 1024 * 1024;

impl Live {
    /// Begins to capture whole packets on an interface, of all packets or those that match a filter, and saves them
    /// when asked to.
    ///
    /// # Errors
    /// All but [`Error::List`].
    pub fn open(interface: &str, filter: Option<&str>, save: Option<&Path>) -> Result<Live, Error> {
        let refused = |error| Error::Open(interface.to_owned(), error);
        let inactive = Capture::from_device(interface).map_err(refused)?;
        let inactive = inactive.promisc(false).snaplen(262_144).immediate_mode(true).buffer_size(BUFFER);
        let mut capture = inactive.open().and_then(Capture::setnonblock).map_err(refused)?;
        if let Some(filter) = filter {
            capture.filter(filter, true).map_err(|error| Error::Filter(filter.to_owned(), error))?;
        }
        let save = save.map(|path| savefile(&capture, path)).transpose()?;
        Ok(Live { capture, save })
    }

    /// The link type of the interface.
    pub fn link(&self) -> u16 {
        u16::try_from(self.capture.get_datalink().0).unwrap_or(u16::MAX)
    }

    /// Hands on packets until `on_frame` breaks. `go_on` is asked between packets and while none comes.
    pub fn run(
        &mut self,
        limits: &Limits,
        go_on: &mut dyn FnMut() -> bool,
        on_frame: &mut dyn FnMut(Frame<'_>) -> ControlFlow<()>,
    ) -> Summary {
        let link = self.link();
        let mut out = Delivery::new(limits, on_frame);
        while go_on() {
            let packet = match self.capture.next_packet() {
                Ok(packet) => packet,
                Err(pcap::Error::TimeoutExpired) => {
                    thread::sleep(PAUSE);
                    continue;
                }
                Err(error) => {
                    out.summary.failed = Some(io::Error::other(error));
                    break;
                }
            };
            if let Some((_, file)) = &mut self.save {
                file.write(&packet);
            }
            let header = packet.header;
            let stopped = out.frame(Some(time(header)), link, header.len, 0, packet.data, None).is_break();
            if stopped {
                break;
            }
        }
        if let Some((path, file)) = &mut self.save
            && let Err(error) = file.flush()
        {
            out.summary.failed = Some(io::Error::other(Error::Save(path.clone(), error)));
        }
        out.summary.dropped = self.capture.stats().map_or(0, |stats| u64::from(stats.dropped));
        out.finish()
    }
}

fn savefile(capture: &Capture<Active>, path: &Path) -> Result<(PathBuf, Savefile), Error> {
    // `Capture::savefile` panics on names that are not UTF-8.
    if path.to_str().is_none() {
        return Err(Error::SaveName(path.to_owned()));
    }
    let file = capture.savefile(path).map_err(|error| Error::Save(path.to_owned(), error))?;
    Ok((path.to_owned(), file))
}

fn time(header: &PacketHeader) -> Time {
    // The fields are narrower on some systems.
    #[allow(clippy::useless_conversion)]
    let (seconds, micros) = (i64::from(header.ts.tv_sec), i64::from(header.ts.tv_usec));
    Time(seconds.saturating_mul(1_000_000_000).saturating_add(micros.saturating_mul(1_000)))
}

/// A BPF filter (`pcap-filter(7)`) for frames of any link types.
pub struct Filter {
    expression: String,
    programs: Vec<(u16, Option<BpfProgram>)>,
}

/// Link types that a filter is compiled for; frames of more of them than that match nothing.
const PROGRAMS: usize = 64;

/// `LINKTYPE_ETHERNET`.
const ETHERNET: u16 = 1;

impl Filter {
    /// Reads a filter expression.
    ///
    /// # Errors
    /// [`Error::Filter`] when it makes no sense for Ethernet.
    pub fn new(expression: &str) -> Result<Filter, Error> {
        let program = compile(ETHERNET, expression).map_err(|error| Error::Filter(expression.to_owned(), error))?;
        Ok(Filter { expression: expression.to_owned(), programs: vec![(ETHERNET, Some(program))] })
    }

    /// Whether the frame matches. None does whose link type the expression or libpcap cannot be used with. A filter on
    /// the packet's length sees the captured one.
    pub fn matches(&mut self, frame: &Frame<'_>) -> bool {
        let index = match self.programs.iter().position(|(link, _)| *link == frame.link) {
            Some(index) => index,
            None if self.programs.len() >= PROGRAMS => return false,
            None => {
                self.programs.push((frame.link, compile(frame.link, &self.expression).ok()));
                self.programs.len() - 1
            }
        };
        matches!(self.programs.get(index), Some((_, Some(program))) if program.filter(frame.bytes))
    }
}

fn compile(link: u16, expression: &str) -> Result<BpfProgram, pcap::Error> {
    // In memory, libpcap numbers raw IP as the system does.
    let link = match link {
        101 if cfg!(target_os = "openbsd") => 14,
        101 => 12,
        other => i32::from(other),
    };
    Capture::dead(Linktype(link))?.compile(expression, true)
}
