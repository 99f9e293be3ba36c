//! The browser side: wasm, its JavaScript glue, the script that starts it, and the style sheet.
//!
//! Everything lands in `target/site` under names that carry a hash of the content, raw and compressed,
//! with a `manifest.json` that `server/build.rs` turns into constants. Nothing is rewritten that did not
//! change, so the server is only rebuilt when it has to be.

use crate::{
    process, stopwatch::Stopwatch, stylesheet, wasm_toolchain::TARGET, wasm_toolchain::WasmToolchain,
    workspace,
};
use anyhow::{Context as _, bail};
use clap::Args;
use flate2::{Compression, write::GzEncoder};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
};

/// What the wasm of a release build may weigh with brotli.
///
/// Measured 91.5 kB with wall, desk board and agents (2026-11-28). Whoever raises it says in the commit what the
/// bytes are for.
pub(crate) const WASM_BUDGET: usize = 96_000;

/// What a first visit may download with brotli besides the page itself; measured 110.1 kB. 120,000 is what a slow
/// line carries in about a second, and what must not be passed: a page of twenty queues has six of them.
pub(crate) const PAGE_BUDGET: usize = 112_000;

#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Arguments {
    /// Optimise for size (slower to build, several times smaller).
    #[arg(long)]
    pub(crate) release: bool,
}

/// What lies in `target/site`, and what it was made from.
#[derive(Debug, Default, Deserialize, Serialize)]
pub(crate) struct Manifest {
    release: bool,
    /// Hash of every source the wasm depends on.
    sources: String,
    pub(crate) assets: Vec<Asset>,
}

/// One file a browser downloads.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Asset {
    pub(crate) role: Role,
    /// The file's name with its hash; `.br` and `.gz` stand beside it.
    pub(crate) name: String,
    pub(crate) bytes: usize,
    pub(crate) brotli_bytes: usize,
    pub(crate) gzip_bytes: usize,
}

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    Style,
    Glue,
    Wasm,
    Bootstrap,
}

/// Builds and says what came out.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<()> {
    let manifest = build(arguments)?;
    manifest.print_sizes();
    Ok(())
}

/// Builds the bundle, unless the one that lies there was made from the same sources.
///
/// A finished release bundle also counts where a debug one is asked for.
pub(crate) fn build(arguments: Arguments) -> anyhow::Result<Manifest> {
    let sources = fingerprint()?;
    let site = workspace::site();
    fs::create_dir_all(&site)?;
    // Two at a time would take each other's files away. The lock ends with the file's scope, or with xtask.
    let lock = fs::File::create(site.with_extension("lock"))?;
    lock.lock().context("failed to wait for another build of the browser side")?;
    let before = Manifest::read(&site);
    let reusable =
        before.is_complete(&site) && before.sources == sources && (before.release || !arguments.release);

    let mut manifest = if reusable {
        println!("==> The browser side is up to date");
        let assets = before.assets.iter().filter(|asset| asset.role != Role::Style).cloned().collect();
        Manifest { release: before.release, sources, assets }
    } else {
        let program = build_wasm(arguments.release)?;
        Manifest { release: arguments.release, sources, assets: program.store(&site, arguments.release)? }
    };

    let source = stylesheet::source(workspace::root())?;
    // The server's build script compares this copy with the folder, and takes the folder when they differ.
    write_if_changed(&site.join("style.source.css"), source.as_bytes())?;
    manifest.assets.push(store(
        &site,
        Role::Style,
        "style",
        "css",
        stylesheet::minified(&source).as_bytes(),
        manifest.release,
    )?);

    write_if_changed(&site.join("manifest.json"), &serde_json::to_vec_pretty(&manifest)?)?;
    // The files of the manifest before stay one more time: a build of the server may be copying them right now.
    remove_strangers(&site, &[&before, &manifest])?;
    Ok(manifest)
}

impl Manifest {
    fn read(site: &Path) -> Self {
        // An unreadable manifest is one of another version of xtask: as good as none.
        let text = fs::read(site.join("manifest.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    fn is_complete(&self, site: &Path) -> bool {
        [Role::Glue, Role::Wasm, Role::Bootstrap].into_iter().all(|role| self.asset(role).is_some())
            && self.assets.iter().all(|asset| site.join(&asset.name).is_file())
    }

    pub(crate) fn asset(&self, role: Role) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.role == role)
    }

    /// What a first visit downloads, compressed.
    pub(crate) fn page_bytes(&self) -> usize {
        self.assets.iter().map(|asset| asset.brotli_bytes).sum()
    }

    pub(crate) fn print_sizes(&self) {
        println!("    {:<34} {:>10} {:>9} {:>9}", "bytes", "raw", "brotli", "gzip");
        for asset in &self.assets {
            println!(
                "    {:<34} {:>10} {:>9} {:>9}",
                asset.name, asset.bytes, asset.brotli_bytes, asset.gzip_bytes
            );
        }
        println!("    {:<34} {:>10} {:>9}", "together", "", self.page_bytes());
    }

    /// Fails when a release bundle weighs more than we allow ourselves.
    pub(crate) fn check_budget(&self) -> anyhow::Result<()> {
        let wasm = self.asset(Role::Wasm).context("the bundle has no wasm")?.brotli_bytes;
        if wasm > WASM_BUDGET {
            bail!("the wasm weighs {wasm} bytes with brotli, {WASM_BUDGET} are allowed");
        }
        let page = self.page_bytes();
        if page > PAGE_BUDGET {
            bail!("a first visit downloads {page} bytes with brotli, {PAGE_BUDGET} are allowed");
        }
        println!(
            "    wasm {wasm} of {WASM_BUDGET} bytes, first visit {page} of {PAGE_BUDGET} bytes (brotli)"
        );
        Ok(())
    }
}

/// The wasm and the JavaScript that lets the two call each other.
struct Program {
    wasm: Vec<u8>,
    glue: String,
}

impl Program {
    fn store(&self, site: &Path, release: bool) -> anyhow::Result<Vec<Asset>> {
        let clock = Stopwatch::start();
        let wasm = store(site, Role::Wasm, "app", "wasm", &self.wasm, release)?;
        let glue = store(site, Role::Glue, "app", "js", without_comments(&self.glue).as_bytes(), release)?;
        let script = fs::read_to_string(workspace::root().join("frontend/bootstrap.js"))
            .context("failed to read the bootstrap script")?;
        let script = script.replace("app.js", &glue.name).replace("app.wasm", &wasm.name);
        let bootstrap =
            store(site, Role::Bootstrap, "bootstrap", "js", without_comments(&script).as_bytes(), release)?;
        println!("    Compressed in {clock}");
        Ok(vec![wasm, glue, bootstrap])
    }
}

fn build_wasm(release: bool) -> anyhow::Result<Program> {
    let toolchain = WasmToolchain::find_or_install()?;
    let profile = if release { "wasm-release" } else { "dev" };
    println!("==> Building the browser side ({profile}); the first time takes some minutes");
    let clock = Stopwatch::start();
    process::run(toolchain.cargo("build").args(["--package", "frontend", "--lib", "--profile", profile]))?;
    println!("    Built in {clock}");

    let folder = if release { "wasm-release" } else { "debug" };
    let file = crate::wasm_toolchain::target_folder().join(TARGET).join(folder).join("frontend.wasm");
    let clock = Stopwatch::start();
    let mut output = wasm_bindgen_cli_support::Bindgen::new()
        .input_path(&file)
        .web(true)?
        .typescript(false)
        // Function names make a panic in the browser readable, and half of the file.
        .remove_name_section(release)
        .remove_producers_section(release)
        .generate_output()
        .with_context(|| format!("failed to read {}", file.display()))?;
    let scripts = output.snippets().values().map(Vec::len).sum::<usize>();
    if scripts + output.local_modules().len() + output.npm_dependencies().len() > 0 {
        bail!("a dependency of `frontend` brings JavaScript of its own, which the bundle does not carry");
    }
    let program = Program { glue: output.js().to_owned(), wasm: output.wasm_mut().emit_wasm() };
    println!("    Bound to JavaScript in {clock}");
    Ok(program)
}

/// Stores `content` raw, with brotli and with gzip, under a name that carries its hash.
///
/// Browsers take brotli only from `https` and from this machine, so a wall on plain `http` gets gzip.
fn store(
    site: &Path,
    role: Role,
    stem: &str,
    extension: &str,
    content: &[u8],
    release: bool,
) -> anyhow::Result<Asset> {
    // The effort is part of the name: the same content compressed better is another file.
    let quality = if release { 11 } else { 4 };
    let digest = hex::encode(Sha256::new().chain_update([quality]).chain_update(content).finalize());
    let name = format!("{stem}-{}.{extension}", &digest[..16]);
    let raw = site.join(&name);
    let brotli = site.join(format!("{name}.br"));
    let gzip = site.join(format!("{name}.gz"));
    if !(raw.is_file() && brotli.is_file() && gzip.is_file()) {
        fs::write(&brotli, brotli_bytes(content, quality)?)?;
        fs::write(&gzip, gzip_bytes(content)?)?;
        fs::write(&raw, content)?;
    }
    Ok(Asset { role, name, bytes: content.len(), brotli_bytes: size(&brotli)?, gzip_bytes: size(&gzip)? })
}

fn size(file: &Path) -> anyhow::Result<usize> {
    Ok(usize::try_from(fs::metadata(file)?.len())?)
}

fn brotli_bytes(content: &[u8], quality: u8) -> anyhow::Result<Vec<u8>> {
    let mut compressed = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: i32::from(quality),
        size_hint: content.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &*content, &mut compressed, &parameters)?;
    Ok(compressed)
}

fn gzip_bytes(content: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    Ok(encoder.finish()?)
}

/// Drops indents, blank lines and lines that are only a comment.
///
/// Safe for the scripts we have, which hold no text over several lines.
fn without_comments(script: &str) -> String {
    let mut kept = String::with_capacity(script.len());
    let mut in_comment = false;
    for line in script.lines().map(str::trim) {
        if in_comment || line.starts_with("/*") {
            in_comment = !line.ends_with("*/");
        } else if !line.is_empty() && !line.starts_with("//") {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Removes what none of `manifests` names.
fn remove_strangers(site: &Path, manifests: &[&Manifest]) -> anyhow::Result<()> {
    let assets = || manifests.iter().flat_map(|manifest| &manifest.assets);
    for entry in fs::read_dir(site)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let belongs = name == "manifest.json"
            || name == "style.source.css"
            || assets().any(|asset| name.starts_with(&asset.name));
        if !belongs {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn write_if_changed(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    if fs::read(file).is_ok_and(|present| present == content) {
        return Ok(());
    }
    fs::write(file, content).with_context(|| format!("failed to write {}", file.display()))
}

/// A hash of every file the browser side is made from.
fn fingerprint() -> anyhow::Result<String> {
    let root = workspace::root();
    let mut files = Vec::new();
    for folder in ["app", "domain", "frontend"] {
        collect(&root.join(folder), &mut files)?;
    }
    files.extend(["Cargo.toml", "Cargo.lock", "xtask/src/bundle.rs"].map(|name| root.join(name)));
    files.sort();
    let mut hash = Sha256::new();
    for file in files {
        let content = fs::read(&file).with_context(|| format!("failed to read {}", file.display()))?;
        let name = file.strip_prefix(root)?.to_string_lossy().into_owned();
        hash.update(name.as_bytes());
        hash.update(content.len().to_le_bytes());
        hash.update(content);
    }
    Ok(hex::encode(hash.finalize()))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("failed to list {}", folder.display()))? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::without_comments;

    #[test]
    fn comments_go_and_code_stays() {
        let script = "// why\nimport x;\n\n/**\n * doc\n */\n    return \"// kept\"; // kept\n}\n/* one */\n";
        assert_eq!(without_comments(script), "import x;\nreturn \"// kept\"; // kept\n}\n");
    }
}
