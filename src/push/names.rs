//! The well-known numbers of WSP that pushes use (WAP-230, appendix A, and the registry of the OMA).

/// The content type of a notification.
pub const TRIGGER: &str = "application/vnd.syncml.notification";
/// Its number.
pub const TRIGGER_CODE: u64 = 0x44;
/// The header that names the application.
pub const APPLICATION_ID: &str = "X-Wap-Application-Id";
/// The DM client, as an application.
pub const DM_CLIENT: &str = "x-wap-application:syncml.dm";
/// Its number.
pub const DM_CLIENT_CODE: u64 = 7;

const CONTENT_TYPES: &[(u64, &str)] = &[
    (0x2E, "application/vnd.wap.sic"),
    (0x30, "application/vnd.wap.slc"),
    (0x32, "application/vnd.wap.coc"),
    (0x33, "application/vnd.wap.multipart.related"),
    (0x34, "application/vnd.wap.sia"),
    (0x35, "text/vnd.wap.connectivity-xml"),
    (0x36, "application/vnd.wap.connectivity-wbxml"),
    (0x3E, "application/vnd.wap.mms-message"),
    (0x42, "application/vnd.syncml.dm+wbxml"),
    (0x43, "application/vnd.syncml.dm+xml"),
    (TRIGGER_CODE, TRIGGER),
    (0x47, "application/vnd.oma.dd+xml"),
    (0x48, "application/vnd.oma.drm.message"),
    (0x4A, "application/vnd.oma.drm.rights+xml"),
    (0x4B, "application/vnd.oma.drm.rights+wbxml"),
    (0x4E, "application/vnd.syncml.ds.notification"),
    (0x58, "application/vnd.syncml.dm.notification"),
];

const HEADERS: &[(u8, &str)] = &[
    (0x0D, "Content-Length"),
    (0x0E, "Content-Location"),
    (0x12, "Date"),
    (0x14, "Expires"),
    (0x26, "Server"),
    (0x2F, APPLICATION_ID),
    (0x30, "X-Wap-Content-URI"),
    (0x31, "X-Wap-Initiator-URI"),
    (0x34, "Push-Flag"),
    (0x40, "Content-ID"),
    (0x43, "Encoding-Version"),
    (0x46, "X-Wap-Security"),
];

const PARAMETERS: &[(u64, &str)] = &[
    (0x00, "q"),
    (0x01, "charset"),
    (0x02, "level"),
    (0x03, "type"),
    (0x05, "name"),
    (0x06, "filename"),
    (0x09, "type"),
    (0x0A, "start"),
    (0x11, "SEC"),
    (0x12, "MAC"),
];

const APPLICATIONS: &[&str] = &[
    "x-wap-application:*",
    "x-wap-application:push.sia",
    "x-wap-application:wml.ua",
    "x-wap-application:wta.ua",
    "x-wap-application:mms.ua",
    "x-wap-application:push.syncml",
    "x-wap-application:loc.ua",
    DM_CLIENT,
    "x-wap-application:drm.ua",
    "x-wap-application:emn.ua",
    "x-wap-application:wv.ua",
];

/// How a bootstrap is secured: values of its parameter SEC.
pub const SECURITY: [&str; 4] = ["NETWPIN", "USERPIN", "USERNETWPIN", "USERPINMAC"];

/// The name of a content type; empty where the number is not known.
pub fn content_type(code: u64) -> &'static str {
    CONTENT_TYPES.iter().find(|(known, _)| *known == code).map_or("", |(_, name)| name)
}

/// The name of a header on a page of names.
pub(super) fn header(page: u8, code: u8) -> String {
    let known = HEADERS.iter().find(|(known, _)| page == 1 && *known == code);
    known.map_or_else(|| format!("header 0x{code:02X} of page {page}"), |(_, name)| (*name).to_owned())
}

/// The name of a parameter.
pub(super) fn parameter(code: u64) -> String {
    let known = PARAMETERS.iter().find(|(known, _)| *known == code);
    known.map_or_else(|| format!("parameter 0x{code:02X}"), |(_, name)| (*name).to_owned())
}

/// The name of an application.
pub fn application(code: u64) -> String {
    let known = usize::try_from(code).ok().and_then(|code| APPLICATIONS.get(code));
    known.map_or_else(|| format!("application 0x{code:02X}"), |name| (*name).to_owned())
}

/// The name of a kind of security.
pub fn security(code: u64) -> Option<&'static str> {
    SECURITY.get(usize::try_from(code).ok()?).copied()
}
