//! The page "Echo and uppercase", joined to the line.

use std::rc::Rc;

use gloo::timers::callback::Interval;
use yew::prelude::*;

use super::{
    composer::Composer, figures::Figures, received::ReceivedList, scene::Scene, sent::SentList,
    settings::Settings, shell::Shell,
};
use crate::browser;
use crate::line::use_line;
use crate::model::{Action, Page, ServedBy, Tab, TransportChoice};

impl Reducible for Page {
    type Action = Action;

    fn reduce(self: Rc<Self>, action: Action) -> Rc<Self> {
        let mut page = Rc::unwrap_or_clone(self);
        page.apply(action);
        Rc::new(page)
    }
}

#[component]
pub(crate) fn App() -> Html {
    let page = use_reducer(|| Page::new(Tab::draw(browser::random())));
    let transport = use_state(|| TransportChoice::from_word(&browser::parameter("transport")));
    let served_by = use_state(|| ServedBy::from_word(&browser::parameter("serve")));
    let say = use_line(*transport, *served_by, &page.tab, &page.dispatcher());
    use_ticks(&page);
    let choose_transport = use_callback((), {
        let transport = transport.setter();
        move |choice: TransportChoice, ()| {
            let word = (choice != TransportChoice::Auto).then_some(choice.word());
            browser::set_parameter("transport", word);
            transport.set(choice);
        }
    });
    let choose_served_by = use_callback((), {
        let served_by = served_by.setter();
        move |choice: ServedBy, ()| {
            let word = (choice != ServedBy::Server).then_some(choice.word());
            browser::set_parameter("serve", word);
            served_by.set(choice);
        }
    });
    html! {
        <>
            <Scene link={page.link.clone()} sent={page.ledger.sent}
                received={page.received.front().map_or(0, |newest| newest.number)} />
            <main id="main" tabindex="-1">
                <h1>{ "Echo and uppercase" }</h1>
                <p class="lede">
                    { "Type a word. It goes over the bus to a service written in Rust, and comes \
                       back in upper case to every page that listens." }
                </p>
                <Composer served_by={*served_by} {say} />
                <Settings transport={*transport} served_by={*served_by} tab={page.tab.clone()}
                    {choose_transport} {choose_served_by} />
                <Figures ledger={page.ledger} />
                <div class="columns">
                    <SentList entries={page.sent.clone()} />
                    <ReceivedList entries={page.received.clone()} tab={page.tab.clone()} />
                </div>
                <Shell />
            </main>
        </>
    }
}

/// Tells the page the time while it waits for an answer.
#[hook]
fn use_ticks(page: &UseReducerHandle<Page>) {
    let dispatch = page.dispatcher();
    use_effect_with(page.is_waiting(), move |&waiting| {
        let tick = move || dispatch.dispatch(Action::Ticked(browser::now()));
        let interval = waiting.then(|| Interval::new(1_000, tick));
        move || drop(interval)
    });
}
