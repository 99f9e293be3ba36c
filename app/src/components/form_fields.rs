//! The fields of forms whose answers are addresses.

use leptos::prelude::*;

/// An instant in a form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FormTime {
    /// As the field holds it.
    pub value: String,
    /// It is no plain local time.
    pub is_instant: bool,
}

/// A value that can be chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// In the address.
    pub value: String,
    /// In words.
    pub label: String,
    /// It is asked for.
    pub is_chosen: bool,
}

/// A local time, or an instant where that would say too little.
pub fn time_field(name: &'static str, label: &'static str, time: FormTime) -> impl IntoView {
    let kind = if time.is_instant { "text" } else { "datetime-local" };
    view! {
        <label>
            <span>{label}</span>
            <input name=name type=kind step="any" value=time.value />
        </label>
    }
}

/// One of some values.
pub fn select(name: &'static str, label: &'static str, choices: Vec<Choice>) -> impl IntoView {
    let options = choices.into_iter().map(|Choice { value, label, is_chosen }| {
        view! { <option value=value selected=is_chosen>{label}</option> }
    });
    view! {
        <label>
            <span>{label}</span>
            <select name=name>{options.collect_view()}</select>
        </label>
    }
}

/// Any of some values.
pub fn checkboxes(name: &'static str, legend: impl Into<String>, choices: Vec<Choice>) -> impl IntoView {
    let legend: String = legend.into();
    let boxes = choices.into_iter().map(|Choice { value, label, is_chosen }| {
        view! {
            <label>
                <input type="checkbox" name=name value=value checked=is_chosen />
                <span>{label}</span>
            </label>
        }
    });
    view! {
        <fieldset>
            <legend>{legend}</legend>
            {boxes.collect_view()}
        </fieldset>
    }
}
