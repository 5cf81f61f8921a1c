//! Secrets and payment codes stay where they belong, looked for in everything a till leaves behind
//! and, where this user may, in its memory.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where it fails")]

mod common;

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};

use common::counter::{Counter, Socket};
use common::{PACE, Shop};

/// A code without repetition, whose customer never pays.
const CODE: &str = "138492017563840200";
/// So many digits of it in a row are no chance.
const TELLING: usize = 12;

/// Where in a process's memory a code stands, in ASCII or a character a word. `None` where this user
/// may not look.
fn in_memory(process: u32, code: &str) -> Option<Vec<String>> {
    let mut memory = File::open(format!("/proc/{process}/mem")).ok()?;
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let narrow: Vec<Vec<u8>> = code.as_bytes().windows(TELLING).map(<[u8]>::to_vec).collect();
    let wide: Vec<Vec<u8>> = narrow
        .iter()
        .map(|digits| digits.iter().flat_map(|digit| u32::from(*digit).to_le_bytes()).collect())
        .collect();
    let mut found = Vec::new();
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let (from, to) = words.next().unwrap().split_once('-').unwrap();
        let address = |text: &str| u64::from_str_radix(text, 16).unwrap();
        let (from, to) = (address(from), address(to));
        if !words.next().unwrap().starts_with("rw") {
            continue;
        }
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        memory.seek(SeekFrom::Start(from)).unwrap();
        if memory.read_exact(&mut bytes).is_err() {
            continue;
        }
        for pattern in narrow.iter().chain(&wide) {
            for at in places(&bytes, pattern) {
                let around = &bytes[at.saturating_sub(80)..bytes.len().min(at + 60)];
                let around = String::from_utf8_lossy(around).replace(|c: char| c.is_control(), ".");
                found.push(format!("{:x} in {line}: {around}", from + at as u64));
            }
        }
    }
    Some(found)
}

fn places(bytes: &[u8], pattern: &[u8]) -> Vec<usize> {
    let mut places = Vec::new();
    let mut start = 0;
    while let Some(at) = bytes[start..].iter().position(|byte| *byte == pattern[0]) {
        let at = start + at;
        if bytes[at..].starts_with(pattern) {
            places.push(at);
        }
        start = at + 1;
    }
    places
}

/// `pay --code -`, until its customer is waited for.
fn waiting_for_customer(shop: &Shop) -> Child {
    let mut pay = shop.command(&["pay", "12.34", "--code", "-", "--json"]);
    let mut child = pay
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(format!("{CODE}\n").as_bytes()).unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut waits = lines.map(|line| line.unwrap().contains("\"waiting\""));
    assert!(waits.any(|waits| waits), "it waits for its customer");
    child
}

#[test]
fn a_payment_code_is_gone_from_memory_once_the_gateway_has_answered() {
    let shop = Shop::open(None, 1);
    let mut child = waiting_for_customer(&shop);
    let found = in_memory(child.id(), CODE);
    child.kill().unwrap();
    child.wait().unwrap();
    let Some(found) = found else { return eprintln!("skipped: only root may look into a till") };
    assert!(found.is_empty(), "{found:#?}");
}
