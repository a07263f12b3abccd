package darkroom.edittasks.pictures;

import java.io.IOException;

/** A file contains no readable picture. The message gives the format, the fault and the remedy, without the file's name. */
public final class PictureException extends IOException {
    private static final long serialVersionUID = 1;

    private final Kind kind;
    private final String reason;

    /** Kind of the fault, with its remedy. */
    public enum Kind {
        /** The file ends before the picture does. */
        CUT_OFF("copy or download the file again"),

        /** The file contradicts its format. */
        DAMAGED("copy the file again, or save the picture again with another program"),

        /** The file is not a picture. */
        NO_PICTURE("put the picture itself in its place"),

        /** The format, or a variant of it, is not supported. */
        UNSUPPORTED("convert it to PNG, JPEG or WebP"),

        /** The picture exceeds a bound. */
        TOO_LARGE("make it smaller");

        private final String remedy;

        Kind(String remedy) {
            this.remedy = remedy;
        }

        /** Returns the remedy, as an imperative. */
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

    /** Returns the message without the remedy. */
    public String reason() {
        return reason;
    }
}
