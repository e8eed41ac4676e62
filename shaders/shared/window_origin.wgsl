// Where a sliding window starts: its top line, counted from the sample's first, the offset of its left edge in a line, and its
// first element's offset in memory, which may lie outside the sample.
struct WindowOrigin {
    top: i32,
    left: i32,
    start: i32,
}
