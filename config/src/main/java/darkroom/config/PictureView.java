package darkroom.config;

import java.util.Locale;

/** How the pixels of a picture file are taken: {@code data.pictures}. */
public enum PictureView {
    /** As a viewer shows the file: EXIF orientation applied, colour profile converted to sRGB, transparency over white. */
    DISPLAYED,

    /**
     * As {@code Image.open(file).convert("RGB")} of Pillow takes it, for parity with Edit-R1's own code: orientation and colour
     * profile ignored, the colour below transparency kept.
     */
    AS_STORED;

    /** The name used in settings and reports, for instance {@code as-stored}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
