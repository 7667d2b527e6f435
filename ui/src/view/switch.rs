//! A group of radio buttons, drawn as a row of plates.

use yew::prelude::*;

/// One of the plates.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Plate<T> {
    pub(crate) value: T,
    pub(crate) label: &'static str,
    pub(crate) test_id: String,
}

#[derive(Properties, PartialEq)]
pub(crate) struct SwitchProps<T: PartialEq> {
    /// What the group chooses; also the name of its buttons.
    pub(crate) legend: &'static str,
    pub(crate) plates: Vec<Plate<T>>,
    pub(crate) chosen: T,
    pub(crate) choose: Callback<T>,
}

#[component]
pub(crate) fn Switch<T: Copy + PartialEq + 'static>(props: &SwitchProps<T>) -> Html {
    let plate = |plate: &Plate<T>| {
        let value = plate.value;
        let onchange = props.choose.reform(move |_: Event| value);
        html! {
            <label class="plate">
                <input type="radio" name={props.legend} checked={value == props.chosen} {onchange}
                    data-testid={plate.test_id.clone()} />
                <span>{ plate.label }</span>
            </label>
        }
    };
    html! {
        <fieldset class="switch" role="radiogroup">
            <legend>{ props.legend }</legend>
            <div class="plates">{ for props.plates.iter().map(plate) }</div>
        </fieldset>
    }
}
