package darkroom.edittasks.pictures;

import java.util.Locale;

/** Conversion applied to the samples of a picture file to get plain 8-bit RGB, or left out. */
public enum PictureConversion {
    ORIENTATION("turned or mirrored by its EXIF orientation"),
    PROFILE("converted from its colour profile to sRGB"),
    PROFILE_IGNORED("read without its colour profile, which is damaged or made for another kind of samples"),
    ALPHA("laid over white where it is transparent"),
    GRAY("one gray sample a pixel"),
    CMYK("converted from CMYK"),
    DEEP("reduced from more than 8 bits a sample"),
    FRAMES("the first of several frames or pages"),
    OTHER_FORMAT("of another format than its name says");

    private final String what;

    PictureConversion(String what) {
        this.what = what;
    }

    /** Returns the name used in reports, for instance {@code profile-ignored}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Returns the meaning, as a continuation of "the picture is". */
    public String what() {
        return what;
    }
}
