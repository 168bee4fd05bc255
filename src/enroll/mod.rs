//! Enrollment of Windows devices (MS-MDE2, MS-XCEP, MS-WSTEP): typed views of its messages.
//!
//! In: the documents of SOAP messages and provisioning documents. Out: borrowed views, of which every part is optional:
//! nothing here fails or judges. Names of elements are compared without case, because published samples and servers
//! write them in several; a rule that minds looks at the element. It does not know sessions or rules.

pub mod address;
pub mod criteria;
pub mod discovery;
pub mod fault;
pub mod page;
pub mod policy;
pub mod provisioning;
pub mod schedule;
pub mod signature;
pub mod soap;
pub mod step;
pub mod token;

pub use address::Address;
pub use fault::Fault;
pub use provisioning::Provisioning;
pub use soap::Envelope;
pub use step::Step;
