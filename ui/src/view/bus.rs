//! The trolleybus itself; the style sheet moves its poles with the connection's state.

use yew::prelude::*;

#[component]
pub(crate) fn Bus() -> Html {
    html! {
        <svg class="bus" viewBox="0 0 250 150" aria-hidden="true">
            <linearGradient id="beam"><stop /><stop offset="1" /></linearGradient>
            <path class="beam" d="M226 118L300 106V140H236Z" />
            <g class="pole far"><path d="M160 72H41" /><circle cx="41" cy="72" r="2.6" /></g>
            <path class="gear" d="M128 74h46l-5-7h-36zM84 74h26v-4H84z" />
            <path class="upper" d="M72 84q0-10 10-10h132q9 0 11 8l6 28H72z" />
            <path class="lower" d="M72 106h158.5l1.5 8v14q0 4-4 4H76q-4 0-4-4z" />
            <path class="band" d="M72 105h158.3l.5 2.5H72z" />
            <path class="glass" d="M78 82h18v19H78zM99 82h18v19H99zM140 82h20v19H140zM163 82h20v19H163zM213 82h4q3 0 3.7 3l3.7 16H213z" />
            <path class="glass" d="M121 82h7v44H121zM129.5 82h7v44h-7zM187 82h10v44H187zM199 82h10v44H199z" />
            <path class="seam" d="M119.5 79.5h18.5v50M119.5 79.5v50M185.5 79.5h25v50M185.5 79.5v50M72 118H86M112 118H119M138 118H163M214 118H231" />
            <circle class="tyre" cx="99" cy="130" r="10" /><circle class="hub" cx="99" cy="130" r="4" />
            <circle class="tyre" cx="176" cy="130" r="10" /><circle class="hub" cx="176" cy="130" r="4" />
            <circle class="lamp" cx="227" cy="120" r="3" />
            <g class="pole near"><path d="M152 72H33" /><circle cx="33" cy="72" r="2.6" /></g>
        </svg>
    }
}
