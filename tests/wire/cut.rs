//! The connection to the gateway is cut after some number of bytes, in either direction, during a
//! payment by the real binary. The till queries what it cannot know, and the books agree.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use crate::fixture::{Pays, Ran, TestShop, in_lanes, sweep};
use paytill::simulator::Api;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

const LANES: usize = 24;
/// How many cuts one shop plays.
const IN_ONE_SHOP: usize = 6;
/// The distance between two cuts, in bytes.
const STEP: usize = 19;

#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
enum Way {
    ToGateway,
    ToTill,
}

/// A line between till and gateway. Its next connection is cut where `cut` says; later ones hold.
struct Cable {
    address: SocketAddr,
    cut: Arc<Mutex<Option<(Way, usize)>>>,
    /// The bytes that the first connection carried each way.
    carried: Arc<Mutex<BTreeMap<Way, usize>>>,
}

impl Cable {
    fn new(shop: &TestShop) -> Self {
        let (cut, carried) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(BTreeMap::new())));
        let gateway = shop.server.local_addr();
        let listener = shop.runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let cable = Self { address: listener.local_addr().unwrap(), cut, carried };
        let (cut, carried) = (Arc::clone(&cable.cut), Arc::clone(&cable.carried));
        shop.runtime.spawn(async move {
            let mut is_first = true;
            while let Ok((till, _)) = listener.accept().await {
                let gateway = TcpStream::connect(gateway).await.unwrap();
                till.set_nodelay(true).unwrap();
                gateway.set_nodelay(true).unwrap();
                let cut = cut.lock().unwrap().take();
                let most =
                    |way| cut.filter(|(at, _)| *at == way).map_or(usize::MAX, |(_, most)| most);
                let counts = std::mem::take(&mut is_first).then(|| Arc::clone(&carried));
                let (from_till, to_till) = till.into_split();
                let (from_gateway, to_gateway) = gateway.into_split();
                let (end, ended) = watch::channel(());
                let ends = [(end.clone(), ended.clone()), (end, ended)];
                let [one, other] = ends;
                tokio::spawn(pump(
                    from_till,
                    to_gateway,
                    Way::ToGateway,
                    most(Way::ToGateway),
                    counts.clone(),
                    one,
                ));
                tokio::spawn(pump(
                    from_gateway,
                    to_till,
                    Way::ToTill,
                    most(Way::ToTill),
                    counts,
                    other,
                ));
            }
        });
        let gateway = format!("https://{gateway}");
        shop.reconfigure(&gateway, &format!("https://{}", cable.address));
        cable
    }
}

/// Carries bytes one way until either side hangs up or the line is cut; then both ways end.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    way: Way,
    most: usize,
    counts: Option<Arc<Mutex<BTreeMap<Way, usize>>>>,
    (end, mut ended): (watch::Sender<()>, watch::Receiver<()>),
) {
    let mut carried = 0;
    let mut buffer = [0; 4096];
    while carried < most {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = ended.changed() => return,
        };
        let Ok(read @ 1..) = read else { break };
        let part = read.min(most - carried);
        if to.write_all(&buffer[..part]).await.is_err() {
            break;
        }
        carried += part;
        if let Some(counts) = &counts {
            counts.lock().unwrap().insert(way, carried);
        }
    }
    end.send(()).ok();
}

#[test]
fn a_line_cut_anywhere_loses_and_doubles_no_payment() {
    cut_anywhere(Pays::ByCode(Api::V2), 1);
}

#[test]
fn nor_does_it_in_api_v3_or_while_a_code_is_ordered() {
    for pays in [Pays::ByCode(Api::V3), Pays::ByScan(Api::V2), Pays::ByScan(Api::V3)] {
        cut_anywhere(pays, 5);
    }
}

/// Cuts at one in so many places today.
fn cut_anywhere(pays: Pays, one_in: usize) {
    let take = |shop: &TestShop, serial: usize| {
        let words = pays.command("ok", serial);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        Ran::of(shop.run(&words))
    };
    // The length of a whole payment in each direction.
    let lengths = {
        let shop = pays.open("ok");
        let cable = Cable::new(&shop);
        assert_eq!(take(&shop, 1).exit, 0);
        cable.carried.lock().unwrap().clone()
    };
    assert!(lengths.values().all(|length| *length > 500), "{lengths:?}");
    let mut runs = Vec::new();
    for (way, length) in &lengths {
        // Slightly past the end of a payment, so that the last cuts change nothing.
        let cuts = sweep::share((0..length + 2 * STEP).step_by(STEP), one_in);
        runs.extend(cuts.chunks(IN_ONE_SHOP).map(|cuts| (*way, cuts.to_vec())));
    }
    let exits = Mutex::new(BTreeMap::<(Way, i32), usize>::new());
    in_lanes(LANES, &runs, |(way, cuts)| {
        let shop = pays.open("ok");
        let cable = Cable::new(&shop);
        for cut in cuts {
            let before = shop.ledger().len();
            *cable.cut.lock().unwrap() = Some((*way, *cut));
            let ran = take(&shop, *cut);
            let story = format!("{pays:?} {way:?} {cut}: {ran:?}");
            match ran.exit {
                0 | 11 => {}
                // No part of the request can have left.
                10 => assert!(
                    shop.ledger().len() == before || shop.ledger()[before].submissions() == 0,
                    "{story}"
                ),
                _ => panic!("{story}"),
            }
            *exits.lock().unwrap().entry((*way, ran.exit)).or_default() += 1;
        }
        let recovered = shop.recover();
        assert_eq!(recovered.exit, 0, "{pays:?} {way:?} {cuts:?}: {recovered:?}");
        shop.assert_books_agree(true);
    });
    let exits = exits.into_inner().unwrap();
    let all: usize = exits.values().sum();
    println!("cut: {pays:?}: {lengths:?} bytes, {all} cuts, exit codes {exits:?}, 0 lost");
    // Every outcome occurred: not sent, lost on the way there, lost on the way back. An order whose
    // code was lost is ordered again.
    let lost = if matches!(pays, Pays::ByCode(_)) { 11 } else { 0 };
    assert!(exits.contains_key(&(Way::ToTill, 0)) && exits.contains_key(&(Way::ToGateway, lost)));
}
