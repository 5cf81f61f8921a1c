//! Whoever can reach the port and means no good.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::database::postgres;
use crate::gateway::Gateway;
use crate::pair::{Asking, LATE, Pair, code, read, serial};
use crate::program::{Answer, Place};
use crate::till::{Till, bytes, number};

#[test]
fn a_head_that_does_not_end_is_cut_and_others_are_served() {
    let place = Place::new();
    let served = place.serve();
    let mut slow = served.dial();
    slow.write_all(b"GET /v1/hello HTTP/1.1\r\nhost: localhost\r\nx: ").unwrap();
    slow.flush().unwrap();
    // Not a byte more is sent; that the connection ends is the other side's doing.
    let answer = Answer::read(&mut slow);
    assert!(matches!(answer.status, 0 | 408), "{answer:?}");
    let answer = served.exchange(&bytes("GET", "/v1/hello", "", ""));
    assert_eq!(answer.status, 401, "{answer:?}");
}

#[test]
fn floods_of_bodies_and_headers_are_refused() {
    let place = Place::new();
    let served = place.serve();
    let till = Till::enrol(&place, &served);
    let large = " ".repeat(64 * 1024 + 1);
    let target = format!("/v1/payments/{}", number(1));
    assert_eq!(till.ask(&served, ("PUT", &target, &large)).status, 413);
    assert_eq!(served.exchange(&bytes("POST", "/v1/enrolment", "", &large)).status, 413);
    let many = "x-same: y\r\n".repeat(10_000);
    let one = format!("x: {}\r\n", "y".repeat(1024 * 1024));
    for headers in [many, one] {
        let answer = served.exchange(&bytes("GET", "/v1/hello", &headers, ""));
        assert!(matches!(answer.status, 0 | 431), "{answer:?}");
    }
    assert_eq!(till.ask(&served, ("GET", "/v1/hello", "")).status, 200);
}

/// How many peers are slow at once.
const MANY: usize = 300;
/// What they may cost of memory, each and all told, in KiB: a head of at most 16 KiB, and TLS.
const EACH: u64 = 64;

#[test]
fn many_that_send_a_byte_now_and_then_are_ended_and_cost_little() {
    let place = Place::listening("tls = \"proxy\"\n", "");
    let served = place.serve();
    let before = served.most_memory();
    let mut slow: Vec<TcpStream> =
        (0..MANY).map(|_| TcpStream::connect(served.web).unwrap()).collect();
    let mut encrypted: Vec<_> = (0..MANY / 10).map(|_| served.dial()).collect();
    for stream in &mut encrypted {
        stream.write_all(b"GET /v1/hello HTTP/1.1\r\nx: ").unwrap();
        stream.flush().unwrap();
    }
    let head = b"GET /admin HTTP/1.1\r\nhost: localhost\r\nx: ";
    // Byte by byte, until each of them is hung up on: that it is so is the other side's doing.
    let mut sent = 0;
    while !slow.is_empty() {
        let byte = [*head.get(sent).unwrap_or(&b'y')];
        slow.retain_mut(|stream| {
            stream.set_nonblocking(true).unwrap();
            let is_open = match stream.read(&mut [0; 512]) {
                Ok(count) => count > 0,
                Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
            };
            is_open && (sent >= 512 || stream.write_all(&byte).is_ok())
        });
        sent += 1;
    }
    for stream in &mut encrypted {
        assert!(matches!(Answer::read(stream).status, 0 | 408));
    }
    let after = served.most_memory();
    println!("{MANY} slow peers: {before} KiB before, {after} KiB at most");
    assert!(after < before + MANY as u64 * EACH, "{before} KiB before, {after} KiB");
    assert_eq!(served.exchange(&bytes("GET", "/v1/hello", "", "")).status, 401);
}

#[test]
fn requests_that_come_again_or_out_of_order_at_another_instance_move_nothing() {
    let Some(base) = postgres() else { return };
    let gateway = Gateway::open();
    let pair = Pair::open(&base, &gateway, LATE);
    let (first, second) = pair.serve();
    let till = Till::enrol(&pair.first, &first);
    let request = || {
        let serial = serial();
        (number(serial), till.charge(&number(serial), &code("0000", serial)))
    };
    // The same bytes at both at once.
    let (twice, copy) = request();
    let answers = std::thread::scope(|scope| {
        let sent = [&first, &second].map(|instance| scope.spawn(|| instance.exchange(&copy)));
        sent.map(|answer| answer.join().unwrap())
    });
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 202)), "{answers:?}");
    assert_eq!(Asking::new(&till, &first, &second).end(&twice)["state"], "paid");
    let entry = gateway.entry(&twice).unwrap();
    assert_eq!((entry.submissions(), entry.net().minor()), (1, 1234));
    assert_eq!(read(&first.exchange(&copy))["code"], "replayed");
    // A request that its reversal has overtaken.
    let (number, late) = request();
    let reversal = format!("/v1/payments/{number}/reversal");
    assert_eq!(till.ask(&second, ("POST", &reversal, "")).status, 200);
    assert_eq!(read(&first.exchange(&late))["code"], "closed");
    assert!(gateway.entry(&number).is_none());
}
