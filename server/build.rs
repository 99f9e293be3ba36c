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
    // Cargo runs this in the folder of the package and reads the paths below from there.
    let root = Path::new("..");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    println!("cargo::rerun-if-env-changed=CALLBOARD_SITE_DIR");
    let site = env::var_os("CALLBOARD_SITE_DIR").map_or_else(|| root.join("target/site"), PathBuf::from);
    // Cargo would run this script every time if the folder it watches did not exist.
    fs::create_dir_all(&site)?;
    let style = root.join("style");
    // `sqlx::migrate!` reads its folder behind cargo's back.
    for watched in [&site, &style, &root.join("migrations")] {
        println!("cargo::rerun-if-changed={}", watched.display());
    }
    println!("cargo::rerun-if-changed=build.rs");

    let mut table = Table::new(out.join("assets"))?;
    let bundle = bundle(&site)?;
    let source = style_source(&style)?;
    for (role, name) in &bundle {
        if role != "style" {
            table.add_bundled(role, name, &site)?;
        }
    }
    let bundled_style = bundle.iter().find(|(role, _)| role == "style");
    match bundled_style {
        Some((role, name))
            if fs::read_to_string(site.join("style.source.css")).is_ok_and(|text| text == source) =>
        {
            table.add_bundled(role, name, &site)?;
        }
        _ => table.add_plain("style", "css", source.as_bytes())?,
    }
    // Of few pages, and small: not part of what a first visit downloads.
    table.add_plain("analytics", "css", &fs::read(style.join("pages/analytics.css"))?)?;
    table.add_plain("favicon", "svg", &fs::read(style.join("favicon.svg"))?)?;
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
    let assets = assets.iter().map(|asset| Ok((text(asset, "role")?, text(asset, "name")?)));
    let assets = assets.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    if let Some((_, missing)) = assets.iter().find(|(_, name)| !site.join(name).is_file()) {
        println!(
            "cargo::warning=no live updates: {missing} is missing, run `cargo xtask bundle` to build it"
        );
        return Ok(Vec::new());
    }
    Ok(assets)
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

/// The Rust source of the table that `http/assets.rs` includes, and the files it names.
///
/// The files are copied, so that a bundle built meanwhile cannot take them away from the compiler.
struct Table {
    folder: PathBuf,
    assets: String,
    names: String,
    roles: Vec<String>,
}

impl Table {
    fn new(folder: PathBuf) -> Result<Self, Box<dyn Error>> {
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir(&folder)?;
        Ok(Self { folder, assets: String::new(), names: String::new(), roles: Vec::new() })
    }

    /// Adds a finished file, which has its compressed forms beside it.
    fn add_bundled(&mut self, role: &str, name: &str, site: &Path) -> Result<(), Box<dyn Error>> {
        for suffix in ["", ".br", ".gz"] {
            let file = format!("{name}{suffix}");
            fs::copy(site.join(&file), self.folder.join(&file))
                .map_err(|error| format!("failed to copy {file} of the bundle: {error}"))?;
        }
        let compressed = |suffix: &str| format!("Some({})", include(&format!("{name}{suffix}")));
        self.add(role, name, &compressed(".br"), &compressed(".gz"))
    }

    /// Adds what is not part of the bundle: not compressed, under a name hashed here.
    fn add_plain(&mut self, role: &str, extension: &str, content: &[u8]) -> Result<(), Box<dyn Error>> {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        let name = format!("{role}-{:016x}.{extension}", hasher.finish());
        fs::write(self.folder.join(&name), content)?;
        self.add(role, &name, "None", "None")
    }

    fn add(&mut self, role: &str, name: &str, brotli: &str, gzip: &str) -> Result<(), Box<dyn Error>> {
        let raw = include(name);
        writeln!(self.assets, "    Asset {{ name: {name:?}, raw: {raw}, brotli: {brotli}, gzip: {gzip} }},")?;
        let constant = role.to_uppercase();
        writeln!(self.names, "const {constant}: Option<&str> = Some({:?});", format!("/assets/{name}"))?;
        self.roles.push(role.to_owned());
        Ok(())
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

/// The Rust expression for the content of a copied file.
fn include(name: &str) -> String {
    format!("include_bytes!(concat!(env!(\"OUT_DIR\"), {:?}))", format!("/assets/{name}"))
}
