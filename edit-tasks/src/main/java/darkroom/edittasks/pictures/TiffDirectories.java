package darkroom.edittasks.pictures;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.Set;
import javax.imageio.plugins.tiff.BaselineTIFFTagSet;

/**
 * Reads the directories of a TIFF file, one per page: everything they point to must be in the file. The JDK's decoder checks
 * none of it.
 */
final class TiffDirectories {
    private static final int HEADER_BYTES = 8;
    private static final int ENTRY_BYTES = 12;
    private static final int INLINE_BYTES = 4;
    private static final int SHORT = 3;

    /** Bytes per value of each type, from type 1 on. */
    private static final int[] TYPE_BYTES = {1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4};

    private final ByteBuffer file;

    private TiffDirectories(byte[] file) {
        this.file = ByteBuffer.wrap(file).order(file[0] == 'I' ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
    }

    /** Returns the number of pages of the file. @throws PictureException if a part of one is missing */
    static int requireWhole(byte[] file) throws PictureException {
        if (file.length < HEADER_BYTES) {
            throw PictureException.cutOff(
                    PictureFormat.TIFF, "it ends after %d bytes, inside of its header".formatted(file.length));
        }
        return new TiffDirectories(file).walk();
    }

    private int walk() throws PictureException {
        Set<Long> seen = new HashSet<>();
        long at = unsigned(4);
        while (at != 0 && seen.add(at)) {
            at = directory(at);
        }
        if (seen.isEmpty()) {
            throw PictureException.damaged(PictureFormat.TIFF, "it has no directory, so no page");
        }
        return seen.size();
    }

    /** Checks a directory and returns the position of the next one; 0 if it is the last. */
    private long directory(long at) throws PictureException {
        need(at + 2, "a directory");
        int entries = Short.toUnsignedInt(file.getShort((int) at));
        long next = at + 2 + (long) ENTRY_BYTES * entries;
        need(next + 4, "a directory");
        int stripOffsets = -1;
        int stripBytes = -1;
        for (int i = 0; i < entries; i++) {
            int entry = (int) at + 2 + ENTRY_BYTES * i;
            int tag = Short.toUnsignedInt(file.getShort(entry));
            if (bytes(entry) > INLINE_BYTES) {
                need(unsigned(entry + 8) + bytes(entry), "the value of tag %d".formatted(tag));
            }
            switch (tag) {
                case BaselineTIFFTagSet.TAG_STRIP_OFFSETS, BaselineTIFFTagSet.TAG_TILE_OFFSETS -> stripOffsets = entry;
                case BaselineTIFFTagSet.TAG_STRIP_BYTE_COUNTS, BaselineTIFFTagSet.TAG_TILE_BYTE_COUNTS ->
                    stripBytes = entry;
                default -> {}
            }
        }
        if (stripOffsets >= 0 && stripBytes >= 0) {
            long strips = Math.min(unsigned(stripOffsets + 4), unsigned(stripBytes + 4));
            for (int i = 0; i < strips; i++) {
                need(value(stripOffsets, i) + value(stripBytes, i), "strip or tile %d of its pixels".formatted(i));
            }
        }
        return unsigned((int) next);
    }

    /** Returns the bytes of the value of an entry; 0 if its type is unknown. */
    private long bytes(int entry) {
        int type = Short.toUnsignedInt(file.getShort(entry + 2));
        return type < 1 || type > TYPE_BYTES.length ? 0 : TYPE_BYTES[type - 1] * unsigned(entry + 4);
    }

    /** Returns number {@code i} of an entry's values, which are of 16 or 32 bits. */
    private long value(int entry, int i) {
        boolean isShort = file.getShort(entry + 2) == SHORT;
        int from = bytes(entry) > INLINE_BYTES ? (int) unsigned(entry + 8) : entry + 8;
        return isShort ? Short.toUnsignedLong(file.getShort(from + 2 * i)) : unsigned(from + 4 * i);
    }

    private long unsigned(int at) {
        return Integer.toUnsignedLong(file.getInt(at));
    }

    private void need(long end, String what) throws PictureException {
        if (end > file.capacity()) {
            throw PictureException.cutOff(
                    PictureFormat.TIFF, "%s ends at byte %d and the file has %d".formatted(what, end, file.capacity()));
        }
    }
}
