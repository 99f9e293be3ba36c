//! Rows that change places slide there once, so that eyes can follow.
//!
//! Measures where rows are, lets the change happen, and plays the way from the old place to the new.

use js_sys::{Array, Function, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlElement};

use crate::live_board::{LiveBoard, State};

/// How long a row slides.
const SLIDE_MILLIS: i32 = 450;

/// Lets the board change; rows that change places slide.
pub(crate) fn around(board: &LiveBoard, change: impl FnOnce()) {
    let before = board.read(State::row_ids);
    change();
    if board.read(State::row_ids) != before && !reduced_motion() {
        play();
    }
}

/// The order has changed, but the page does not show it yet: that happens in a microtask.
fn play() {
    let before: Vec<(Element, i32)> = rows().into_iter().map(|row| (row.clone(), top(&row))).collect();
    // Rows are moved before the next frame is drawn; that is when their new places are known.
    let _ = request_animation_frame(move || {
        for (row, old) in &before {
            let way = old - top(row);
            if row.is_connected() && way != 0 {
                // A browser without animations shows the row in its new place at once.
                let _ = slide(row, way);
            }
        }
    });
}

fn rows() -> Vec<Element> {
    let Ok(found) = document().query_selector_all("tr[data-row]") else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect()
}

fn top(row: &Element) -> i32 {
    row.get_bounding_client_rect().top() as i32
}

fn slide(row: &Element, way: i32) -> Result<(), JsValue> {
    let from = Object::new();
    Reflect::set(&from, &"transform".into(), &format!("translateY({way}px)").into())?;
    let to = Object::new();
    Reflect::set(&to, &"transform".into(), &"none".into())?;
    let options = Object::new();
    Reflect::set(&options, &"duration".into(), &SLIDE_MILLIS.into())?;
    Reflect::set(&options, &"easing".into(), &"ease-in-out".into())?;
    let row: &HtmlElement = row.unchecked_ref();
    let animate: Function = Reflect::get(row, &"animate".into())?.dyn_into()?;
    animate.call2(row, &Array::of2(&from, &to), &options)?;
    Ok(())
}

fn reduced_motion() -> bool {
    window()
        .match_media("(prefers-reduced-motion: reduce)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches())
}
