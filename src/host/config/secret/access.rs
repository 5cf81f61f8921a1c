//! Who may read a file, where an access control list says more than its mode.
//!
//! systemd hands a credential to a service by such a list. The mode then looks as if the group could
//! read the file, though nobody can but the service.

use std::fs::File;

/// Where Linux keeps the list.
pub(super) const LIST: &str = "system.posix_acl_access";
/// The only version that there is.
const VERSION: [u8; 4] = [2, 0, 0, 0];

const OWNER: u16 = 0x01;
const USER: u16 = 0x02;
const MASK: u16 = 0x10;

/// Whether a file has a list, and that list lets in nobody but its owner and this user.
pub(super) fn is_for_us_alone(file: &File) -> bool {
    let mut list = [0; 1024];
    let Ok(length) = rustix::fs::fgetxattr(file, LIST, &mut list) else { return false };
    let us = rustix::process::geteuid().as_raw();
    list.get(..length).is_some_and(|list| lets_in_only(list, us))
}

fn lets_in_only(list: &[u8], us: u32) -> bool {
    let Some(entries) = list.strip_prefix(&VERSION) else { return false };
    let (entries, rest) = entries.as_chunks::<8>();
    rest.is_empty()
        && entries.iter().all(|[t0, t1, p0, p1, id @ ..]| {
            match u16::from_le_bytes([*t0, *t1]) {
                // A mask lets nobody in; it only takes away.
                OWNER | MASK => true,
                USER if u32::from_le_bytes(*id) == us => true,
                _ => [*p0, *p1] == [0, 0],
            }
        })
}
