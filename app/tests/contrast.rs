//! Can it be read? Computes the contrast of the tokens that are used together, from the style sheet itself.

use std::collections::HashMap;

/// Figures on the wall, WCAG's enhanced contrast.
const FIGURE: f64 = 7.0;
/// All other text.
const TEXT: f64 = 4.5;
/// Shapes, borders of controls.
const SHAPE: f64 = 3.0;

/// Foreground, ground, and the contrast they need.
const PAIRS: [(&str, &str, f64); 32] = [
    ("text", "ground", FIGURE),
    ("text", "surface", FIGURE),
    ("text", "raised", FIGURE),
    ("text", "watch-ground", FIGURE),
    ("muted", "ground", FIGURE),
    ("muted", "surface", FIGURE),
    ("muted", "raised", TEXT),
    ("muted", "watch-ground", TEXT),
    ("act-text", "act-ground", FIGURE),
    ("watch-text", "watch-ground", FIGURE),
    ("stale", "surface", FIGURE),
    ("stale", "stale-ground", TEXT),
    ("watch", "ground", TEXT),
    ("watch", "surface", TEXT),
    ("watch", "watch-ground", TEXT),
    ("act", "ground", TEXT),
    ("act", "surface", TEXT),
    ("act", "act-ground", SHAPE),
    ("act", "watch-ground", SHAPE),
    ("accent", "ground", TEXT),
    ("accent", "surface", TEXT),
    ("accent", "raised", TEXT),
    ("ground", "accent", TEXT),
    ("edge", "ground", SHAPE),
    ("edge", "surface", SHAPE),
    ("edge", "raised", SHAPE),
    ("stale", "ground", TEXT),
    ("stale", "raised", TEXT),
    ("act-text", "act-ground", TEXT),
    ("watch-text", "watch-ground", TEXT),
    ("muted", "stale-ground", TEXT),
    ("text", "stale-ground", FIGURE),
];

#[test]
fn everything_can_be_read_in_both_themes() {
    let mut problems = Vec::new();
    for (theme, tokens) in
        [("dark", tokens("[data-theme=\"dark\"] {")), ("light", tokens("\n[data-theme=\"light\"] {"))]
    {
        for (text, ground, needed) in PAIRS {
            let contrast = contrast(tokens[text], tokens[ground]);
            if contrast < needed {
                problems.push(format!("{theme}: {text} on {ground} is {contrast:.2}, needs {needed}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn the_automatic_light_theme_is_the_light_theme() {
    assert_eq!(
        format!("{:?}", sorted("[data-theme=\"auto\"] {")),
        format!("{:?}", sorted("\n[data-theme=\"light\"] {"))
    );
}

#[test]
fn a_name_that_turns_the_direction_of_text_turns_nothing_beside_it() {
    let css = include_str!("../../style/20_base.css");
    let (before, _) = css.split_once("unicode-bidi: isolate;").unwrap();
    let (_, elements) = before.rsplit_once('}').unwrap();
    for element in ["a", "b", "em", "small", "span", "strong"] {
        assert!(
            elements.contains(&format!("{element},")) || elements.contains(&format!("{element})")),
            "{element}"
        );
    }
}

#[test]
fn the_arithmetic_is_right() {
    let (black, white) = ([0.0, 0.0, 0.0], [1.0, 0.0, 0.0]);
    assert!((contrast(black, white) - 21.0).abs() < 0.01);
    // sRGB red is oklch(62.8% 0.2577 29.23), its luminance 0.2126.
    assert!((luminance([0.627_96, 0.257_68, 29.234]) - 0.2126).abs() < 0.001);
}

fn sorted(start: &str) -> Vec<(String, [f64; 3])> {
    let mut tokens: Vec<_> = tokens(start).into_iter().collect();
    tokens.sort_by(|a, b| a.0.cmp(&b.0));
    tokens
}

/// The colours of one theme: lightness, chroma, hue.
fn tokens(start: &str) -> HashMap<String, [f64; 3]> {
    let css = include_str!("../../style/10_tokens.css");
    let (_, block) = css.split_once(start).unwrap();
    let (block, _) = block.split_once('}').unwrap();
    block
        .lines()
        .filter_map(|line| {
            let (name, value) = line.trim().strip_prefix("--")?.split_once(": oklch(")?;
            let numbers: Vec<f64> = value
                .trim_end_matches(");")
                .split_whitespace()
                .map(|number| match number.strip_suffix('%') {
                    Some(percent) => percent.parse::<f64>().unwrap() / 100.0,
                    None => number.parse().unwrap(),
                })
                .collect();
            Some((name.to_owned(), [numbers[0], numbers[1], numbers[2]]))
        })
        .collect()
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let (a, b) = (luminance(a) + 0.05, luminance(b) + 0.05);
    a.max(b) / a.min(b)
}

/// WCAG's relative luminance of an OKLCH colour, clipped to what an sRGB screen can show.
fn luminance([lightness, chroma, hue]: [f64; 3]) -> f64 {
    let (a, b) = (chroma * hue.to_radians().cos(), chroma * hue.to_radians().sin());
    let cubed = |long: f64, short: f64| (lightness + long * a + short * b).powi(3);
    let l = cubed(0.396_337_777_4, 0.215_803_757_3);
    let m = cubed(-0.105_561_345_8, -0.063_854_172_8);
    let s = cubed(-0.089_484_177_5, -1.291_485_548_0);
    let red = 4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s;
    let green = -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s;
    let blue = -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701_0 * s;
    let shown = |channel: f64| channel.clamp(0.0, 1.0);
    0.2126 * shown(red) + 0.7152 * shown(green) + 0.0722 * shown(blue)
}
