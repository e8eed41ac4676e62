// The coordinates of one element, NHWC.
struct Coordinates {
    channel: u32,
    x: i32,
    y: i32,
    sample: u32,
}

fn coordinates_of(index: u32, height: u32, width: u32, channels: u32) -> Coordinates {
    let pixel = index / channels;
    let line = pixel / width;
    return Coordinates(index % channels, i32(pixel % width), i32(line % height), line / height);
}
