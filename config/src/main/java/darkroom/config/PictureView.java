package darkroom.config;

/** How the pixels of a picture file are taken: {@code data.pictures}. */
public enum PictureView {
    /** As a viewer shows the file: EXIF orientation applied, colour profile converted to sRGB, transparency over white. */
    DISPLAYED,

    /**
     * As {@code Image.open(file).convert("RGB")} of Pillow takes it, for parity with Edit-R1's own code: orientation and colour
     * profile ignored, the colour below transparency kept.
     */
    AS_STORED
}
