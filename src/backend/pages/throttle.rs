//! How often a password may be guessed: what an attempt is counted under. Pure; the counts are in the
//! books, so that all instances have them together.

use std::net::IpAddr;

use crate::admission::network;
use crate::store::Counted;

/// So many attempts at a name from an address, and so many from an address in all, in a quarter of an
/// hour.
const TRIES: i64 = 5;
const TRIES_OF_ADDRESS: i64 = 20;

/// What an attempt counts under: the address, and last the name there.
pub(super) fn counted(name: &str, from: IpAddr) -> [Counted; 2] {
    let from = network(from);
    let of_name = format!("login from {from} as {name}");
    [(format!("login from {from}"), TRIES_OF_ADDRESS), (of_name, TRIES)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv6_counts_as_one_address_and_each_name_for_itself() {
        let host = |text: &str| text.parse::<IpAddr>().unwrap();
        let (one, other) = (host("2001:db8:1:1::1"), host("2001:db8:1:1::9"));
        assert_eq!(counted("li", one), counted("li", other));
        assert_ne!(counted("li", one), counted("li", host("2001:db8:1:2::1")));
        assert_ne!(counted("li", one)[1], counted("wu", one)[1]);
        assert_eq!(counted("li", one)[0], counted("wu", one)[0]);
        let mapped = host("::ffff:192.0.2.1");
        assert_eq!(counted("li", mapped), counted("li", host("192.0.2.1")));
    }
}
