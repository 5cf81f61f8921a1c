//! A connection on a virtual clock.

use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};
use tokio::time::{Instant, sleep};

use super::*;

const ASKS: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Dials; who asks `/slow` waits for half a minute.
fn dial() -> DuplexStream {
    let (ours, theirs) = duplex(4096);
    let router = Router::new().route("/", get(|| async { "well" })).route(
        "/slow",
        get(|| async {
            sleep(Duration::from_secs(30)).await;
            "well"
        }),
    );
    let peer = SocketAddr::from(([127, 0, 0, 1], 9));
    tokio::spawn(async move {
        // Dropped, it would end the connection.
        let graceful = GracefulShutdown::new();
        connection(theirs, peer, router, graceful.watcher()).await;
    });
    ours
}

async fn answered(stream: &mut DuplexStream) -> String {
    let mut text = vec![0; 1024];
    let count = stream.read(&mut text).await.unwrap();
    String::from_utf8_lossy(&text[..count]).into_owned()
}

#[tokio::test(start_paused = true)]
async fn a_till_that_asks_nothing_for_a_minute_need_not_dial_again() {
    let mut till = dial();
    for _ in 0..3 {
        till.write_all(ASKS).await.unwrap();
        assert!(answered(&mut till).await.starts_with("HTTP/1.1 200"));
        sleep(Duration::from_mins(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_may_take_longer_than_a_head() {
    let mut till = dial();
    till.write_all(b"GET /slow HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    assert!(answered(&mut till).await.starts_with("HTTP/1.1 200"));
}

/// When it is hung up on whoever sends this, and then a byte every second.
async fn cut_after(mut stream: DuplexStream, begun: &[u8]) -> Duration {
    let at = Instant::now();
    stream.write_all(begun).await.unwrap();
    for _ in 0..600 {
        let more = tokio::time::timeout(Duration::from_secs(1), answered(&mut stream)).await;
        if more.is_ok() || !begun.is_empty() && stream.write_all(b"y").await.is_err() {
            return at.elapsed();
        }
    }
    panic!("never");
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_long_for_a_head_is_hung_up_on_the_first_time_and_later() {
    let begun = b"GET / HTTP/1.1\r\nx: ";
    assert!(cut_after(dial(), begun).await <= Duration::from_secs(3));
    assert!(cut_after(dial(), b"").await <= Duration::from_secs(3), "it says nothing at all");
    let mut known = dial();
    known.write_all(ASKS).await.unwrap();
    answered(&mut known).await;
    sleep(Duration::from_secs(20)).await;
    assert!(cut_after(known, begun).await <= Duration::from_secs(3));
    let mut idle = dial();
    idle.write_all(ASKS).await.unwrap();
    answered(&mut idle).await;
    assert!(cut_after(idle, b"").await <= IDLE + Duration::from_secs(3));
}
