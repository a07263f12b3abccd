package darkroom.edittasks.pictures;

import com.drew.lang.ByteArrayReader;
import com.drew.metadata.Metadata;
import com.drew.metadata.exif.ExifDirectoryBase;
import com.drew.metadata.exif.ExifIFD0Directory;
import com.drew.metadata.exif.ExifReader;

/** Orientation with EXIF's numbers: 1 upright, 2 to 4 mirrored or upside down, 5 to 8 with width and height exchanged. */
final class Orientation {
    static final int UPRIGHT = 1;
    private static final int EXCHANGED_MIN = 5;
    private static final int LAST = 8;

    private Orientation() {}

    /**
     * Reads the orientation of a block of EXIF, from its byte-order mark on; {@link #UPRIGHT} if it is damaged or gives none.
     */
    static int of(byte[] exif) {
        Metadata metadata = new Metadata();
        new ExifReader().extract(new ByteArrayReader(exif), metadata);
        ExifIFD0Directory directory = metadata.getFirstDirectoryOfType(ExifIFD0Directory.class);
        Integer value = directory == null ? null : directory.getInteger(ExifDirectoryBase.TAG_ORIENTATION);
        return valid(value == null ? UPRIGHT : value);
    }

    static int valid(int value) {
        return value >= UPRIGHT && value <= LAST ? value : UPRIGHT;
    }

    /** Returns the picture upright. */
    static RgbImage applied(RgbImage stored, int orientation) {
        int width = stored.width();
        int height = stored.height();
        boolean exchanged = orientation >= EXCHANGED_MIN;
        int wide = exchanged ? height : width;
        int high = exchanged ? width : height;
        byte[] from = stored.bytes();
        byte[] to = new byte[from.length];
        for (int y = 0; y < high; y++) {
            for (int x = 0; x < wide; x++) {
                int u =
                        switch (orientation) {
                            case 2, 3 -> width - 1 - x;
                            case 5, 6 -> y;
                            case 7, 8 -> width - 1 - y;
                            default -> x;
                        };
                int v =
                        switch (orientation) {
                            case 3, 4 -> height - 1 - y;
                            case 5, 8 -> x;
                            case 6, 7 -> height - 1 - x;
                            default -> y;
                        };
                System.arraycopy(from, 3 * (v * width + u), to, 3 * (y * wide + x), 3);
            }
        }
        return RgbImage.owning(wide, high, to);
    }
}
