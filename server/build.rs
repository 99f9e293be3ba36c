//! Turns the browser side into constants of the server, so that one file is all there is to install.
//!
//! `cargo xtask bundle` leaves it in `target/site`. Without it the server builds all the same: its pages are
//! styled and complete, they just do not update by themselves. The style sheet is compared with its sources,
//! so that a change shows after a plain `cargo run`, only not compressed.

#![expect(clippy::disallowed_methods, reason = "the environment is how cargo talks to a build script")]

use std::{
    env,
    error::Error,
    fmt::Write as _,
    fs,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("..");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-env-changed=CALLBOARD_SITE_DIR");
    let site = env::var_os("CALLBOARD_SITE_DIR").map_or_else(|| root.join("target/site"), PathBuf::from);
    // Cargo would run this script every time if the folder it watches did not exist.
    fs::create_dir_all(&site)?;
    let site = site.canonicalize()?;
    let style = root.join("style");
    // `sqlx::migrate!` reads its folder behind cargo's back.
    for watched in [&site, &style, &root.join("migrations")] {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    println!("cargo::rerun-if-changed=build.rs");

    let mut table = Table::default();
    let bundle = bundle(&site)?;
    let source = style_source(&style)?;
    for (role, name) in &bundle {
        if role != "style" {
            table.add(role, name, &site.join(name), true)?;
        }
    }
    let bundled_style = bundle.iter().find(|(role, _)| role == "style");
    match bundled_style {
        Some((role, name))
            if fs::read_to_string(site.join("style.source.css")).is_ok_and(|text| text == source) =>
        {
            table.add(role, name, &site.join(name), true)?;
        }
        _ => table.add_plain("style", "css", source.as_bytes(), &out)?,
    }
    let favicon = style.join("favicon.svg");
    table.add_plain("favicon", "svg", &fs::read(favicon)?, &out)?;
    fs::write(out.join("assets.rs"), table.finish()?)?;
    Ok(())
}

/// Role and name of every finished file, or nothing when there is no bundle.
fn bundle(site: &Path) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let Ok(text) = fs::read(site.join("manifest.json")) else { return Ok(Vec::new()) };
    let manifest: serde_json::Value = serde_json::from_slice(&text)?;
    let assets = manifest["assets"].as_array().ok_or("the manifest lists no assets")?;
    let text = |asset: &serde_json::Value, key: &str| {
        asset[key].as_str().map(str::to_owned).ok_or_else(|| format!("an asset has no {key}"))
    };
    assets.iter().map(|asset| Ok((text(asset, "role")?, text(asset, "name")?))).collect()
}

/// The style files in the order of their names; `xtask/src/stylesheet.rs` must do exactly the same.
fn style_source(folder: &Path) -> Result<String, Box<dyn Error>> {
    let mut files = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(folder)? {
            let file = entry?.path();
            if file.extension().is_some_and(|extension| extension == "css") {
                files.push(file);
            }
        }
    }
    files.sort();
    let mut source = String::new();
    for file in files {
        source.push_str(&fs::read_to_string(file)?);
        source.push('\n');
    }
    Ok(source)
}

/// The Rust source of the table that `http/assets.rs` includes.
#[derive(Default)]
struct Table {
    assets: String,
    names: String,
    roles: Vec<String>,
}

impl Table {
    fn add(&mut self, role: &str, name: &str, file: &Path, compressed: bool) -> Result<(), Box<dyn Error>> {
        let include = |suffix: &str| {
            let path = format!("{}{suffix}", file.display());
            format!("include_bytes!({path:?})")
        };
        let other = |suffix: &str| match compressed {
            true => format!("Some({})", include(suffix)),
            false => "None".to_owned(),
        };
        writeln!(
            self.assets,
            "    Asset {{ name: {name:?}, raw: {}, brotli: {}, gzip: {} }},",
            include(""),
            other(".br"),
            other(".gz"),
        )?;
        let constant = role.to_uppercase();
        writeln!(self.names, "const {constant}: Option<&str> = Some({:?});", format!("/assets/{name}"))?;
        self.roles.push(role.to_owned());
        Ok(())
    }

    /// Adds what is not part of the bundle: not compressed, under a name hashed here.
    fn add_plain(
        &mut self,
        role: &str,
        extension: &str,
        content: &[u8],
        out: &Path,
    ) -> Result<(), Box<dyn Error>> {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let name = format!("{role}-{:016x}.{extension}", hasher.finish());
        let file = out.join(format!("{role}.{extension}"));
        fs::write(&file, content)?;
        self.add(role, &name, &file, false)
    }

    fn finish(mut self) -> Result<String, Box<dyn Error>> {
        for role in ["glue", "wasm", "bootstrap"] {
            if !self.roles.iter().any(|present| present == role) {
                writeln!(self.names, "const {}: Option<&str> = None;", role.to_uppercase())?;
            }
        }
        Ok(format!("static ASSETS: &[Asset] = &[\n{}];\n{}", self.assets, self.names))
    }
}
