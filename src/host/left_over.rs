//! What file managers and systems leave on a medium by themselves. It is part of nothing, and whoever meets it says so.

/// What to say of such a file.
pub(crate) const LEFT_OVER: &str = "a file manager left it there. Delete it";

/// Did a file manager or a system leave this file on the medium, by its path in the folder? It belongs to nobody's bundle
/// or pack, and says nothing about one.
pub(crate) fn is_left_over(path: &str) -> bool {
    const LEFT: &[&str] = &[
        ".DS_Store",
        ".AppleDouble",
        ".DocumentRevisions-V100",
        ".Spotlight-V100",
        ".TemporaryItems",
        ".Trashes",
        ".apdisk",
        ".directory",
        ".fseventsd",
        ".localized",
        "Icon\r",
        "System Volume Information",
        "$RECYCLE.BIN",
        "Thumbs.db",
        "__MACOSX",
        "desktop.ini",
        "ehthumbs.db",
        "lost+found",
    ];
    path.split('/').any(|name| {
        LEFT.iter().any(|left| name.eq_ignore_ascii_case(left))
            || name.starts_with("._")
            || name.starts_with(".Trash-")
            || name.starts_with(".~lock.")
            || name.starts_with(".goutputstream-")
    })
}
