package darkroom.edittasks;

import java.io.IOException;

/** A file holds no picture that can be read. The message gives the format, what is wrong and what to do, without the file's name. */
public final class PictureException extends IOException {
    private static final long serialVersionUID = 1;

    private final Kind kind;
    private final String reason;

    /** Why, with its remedy. */
    public enum Kind {
        /** The file ends before the picture does. */
        CUT_OFF("copy or download the file again"),

        /** The file contradicts its format. */
        DAMAGED("copy the file again, or save the picture anew with another program"),

        /** Something else is in the place of a picture. */
        NO_PICTURE("put the picture itself in its place"),

        /** Of a format, or a variant of one, that is not read. */
        UNSUPPORTED("convert it to PNG, JPEG or WebP"),

        /** Above a bound. */
        TOO_LARGE("make it smaller");

        private final String remedy;

        Kind(String remedy) {
            this.remedy = remedy;
        }

        /** What to do, as an imperative. */
        public String remedy() {
            return remedy;
        }
    }

    PictureException(Kind kind, String reason) {
        super(reason + "; " + kind.remedy());
        this.kind = kind;
        this.reason = reason;
    }

    PictureException(Kind kind, String reason, Throwable cause) {
        super(reason + "; " + kind.remedy(), cause);
        this.kind = kind;
        this.reason = reason;
    }

    static PictureException cutOff(PictureFormat format, String what) {
        return new PictureException(Kind.CUT_OFF, "the " + format.title() + " file is cut off: " + what);
    }

    static PictureException damaged(PictureFormat format, String what) {
        return new PictureException(Kind.DAMAGED, "the " + format.title() + " file is damaged: " + what);
    }

    static PictureException unsupported(PictureFormat format, String what) {
        return new PictureException(
                Kind.UNSUPPORTED, "the " + format.title() + " file has " + what + ", which is not read");
    }

    public Kind kind() {
        return kind;
    }

    /** The message without the remedy. */
    public String reason() {
        return reason;
    }
}
