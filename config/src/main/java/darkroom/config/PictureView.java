package darkroom.config;

import java.util.Locale;

/** Interpretation of the pixels of a picture file: {@code data.pictures}. */
public enum PictureView {
    /** As displayed by a viewer: EXIF orientation applied, colour profile converted to sRGB, transparency over white. */
    DISPLAYED,

    /**
     * As {@code Image.open(file).convert("RGB")} of Pillow reads it, for parity with Edit-R1's code: orientation and colour
     * profile ignored, the colour below transparency kept.
     */
    AS_STORED;

    /** Returns the name used in settings and reports, for instance {@code as-stored}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
