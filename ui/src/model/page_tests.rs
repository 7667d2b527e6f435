use trolleybus_protocol::ErrorKind;

use super::*;

fn page() -> Page {
    Page::new(Tab::draw(0.5))
}

fn say(page: &mut Page, number: u32, how: How) {
    let body = Body::from_text("goal");
    let at = Moment(f64::from(number));
    page.apply(Action::Said { number, how, address: "demo.request", body, at });
}

fn heard(page: &Page, number: Option<u32>, served_by: Option<Tab>) -> Heard {
    Heard {
        address: "demo.response".to_owned(),
        body: Body::from_text("GOAL"),
        word: number.map(|number| Word { tab: page.tab.clone(), number }),
        served_by,
        at: Moment(10.0),
    }
}

fn hear(page: &mut Page, number: Option<u32>, served_by: Option<Tab>) {
    let heard = heard(page, number, served_by);
    page.apply(Action::Published(heard));
}

#[test]
fn published_word_is_answered_by_its_answer() {
    let mut page = page();
    say(&mut page, 1, How::Publish);
    assert_eq!(page.ledger.pending(), 1);
    hear(&mut page, Some(1), None);
    assert_eq!(page.sent[0].fate, Fate::Answered { after: 9.0 });
    assert_eq!(page.received[0].after, Some(9.0));
    assert_eq!((page.ledger.answered, page.ledger.pending()), (1, 0));
}

#[test]
fn request_is_answered_by_its_reply_only() {
    let mut page = page();
    say(&mut page, 1, How::Request);
    hear(&mut page, Some(1), None);
    assert_eq!(page.ledger.pending(), 1);
    let reply = heard(&page, Some(1), None);
    page.apply(Action::Replied { number: 1, heard: reply });
    assert_eq!((page.ledger.pending(), page.ledger.duplicates), (0, 0));
    assert_eq!(page.received.len(), 2);
}

#[test]
fn second_answer_of_one_server_is_a_duplicate_and_of_another_is_not() {
    let mut page = page();
    say(&mut page, 1, How::Publish);
    hear(&mut page, Some(1), None);
    hear(&mut page, Some(1), Some(Tab::draw(0.1)));
    assert_eq!(page.ledger.duplicates, 0);
    hear(&mut page, Some(1), None);
    assert_eq!((page.ledger.duplicates, page.ledger.answered), (1, 1));
}

#[test]
fn messages_from_elsewhere_are_listed_and_count_for_nothing() {
    let mut page = page();
    say(&mut page, 1, How::Publish);
    hear(&mut page, None, None);
    assert_eq!((page.received.len(), page.ledger.pending()), (1, 1));
    assert_eq!(page.received[0].origin(&page.tab), None);
}

#[test]
fn failure_is_told_on_both_sides() {
    let mut page = page();
    say(&mut page, 1, How::Request);
    let error = Error::new(ErrorKind::ConnectionLost, "went away");
    page.apply(Action::Failed { number: 1, error, at: Moment(5.0) });
    assert_eq!((page.ledger.failed, page.ledger.pending()), (1, 0));
    assert_eq!(page.received[0].way, Way::Failed);
    assert_eq!(page.received[0].address, "demo.request");
}

#[test]
fn unanswered_word_fails_in_the_end_and_a_late_answer_mends_it() {
    let mut page = page();
    say(&mut page, 1, How::Publish);
    page.apply(Action::Ticked(Moment(5_000.0)));
    assert!(page.is_waiting());
    page.apply(Action::Ticked(Moment(10_001.0)));
    assert!(!page.is_waiting());
    assert_eq!(page.ledger.failed, 1);
    hear(&mut page, Some(1), None);
    assert_eq!((page.ledger.failed, page.ledger.answered), (0, 1));
}

#[test]
fn lists_are_bounded_and_the_ledger_still_adds_up() {
    let mut page = page();
    for number in 1..=250 {
        say(&mut page, number, How::Publish);
        hear(&mut page, (number % 2 == 0).then_some(number), None);
    }
    assert_eq!((page.sent.len(), page.received.len()), (KEPT, KEPT));
    let ledger = page.ledger;
    assert_eq!((ledger.sent, ledger.answered), (250, 125));
    assert_eq!(ledger.pending(), page.sent.iter().filter(|sent| sent.is_pending()).count() as u32);
}

#[test]
fn origin_names_who_served_for_whom() {
    let mut page = page();
    let other = Tab::draw(0.1);
    let this = page.tab.clone();
    hear(&mut page, Some(1), Some(this));
    hear(&mut page, Some(1), Some(other.clone()));
    for served_by in [None, Some(other.clone())] {
        let word = Word { tab: other.clone(), number: 1 };
        let heard = heard(&page, None, served_by);
        page.apply(Action::Published(Heard { word: Some(word), ..heard }));
    }
    let origins: Vec<_> =
        page.received.iter().filter_map(|received| received.origin(&page.tab)).collect();
    let name = other.name();
    assert_eq!(origins[0], format!("served by tab {name} for itself"));
    assert_eq!(origins[1], format!("served by the server for tab {name}"));
    assert_eq!(origins[2], format!("served by tab {name}"));
    assert_eq!(origins[3], "served by this tab");
}
