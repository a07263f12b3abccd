package darkroom.edittasks.pictures;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A GIF file: the first frame on the logical screen. All blocks up to the trailer must be present, and the first frame's code
 * must contain all its pixels. The JDK's decoder leaves missing pixels black without a warning, and returns the size of the
 * frame instead of the screen; hence this decoder.
 */
final class GifFile {
    private static final int HEADER_BYTES = 13;
    private static final int EXTENSION = 0x21;
    private static final int IMAGE = 0x2c;
    private static final int TRAILER = 0x3b;
    private static final int GRAPHIC_CONTROL = 0xf9;
    private static final int CODE_BITS_MAX = 12;
    private static final int CODES_MAX = 1 << CODE_BITS_MAX;
    private static final int NO_COLOUR = -1;

    private final byte[] file;
    private int at;
    private int transparent = NO_COLOUR;

    private GifFile(byte[] file) {
        this.file = file;
    }

    static StoredPicture read(byte[] file) throws PictureException {
        return new GifFile(file).read();
    }

    private StoredPicture read() throws PictureException {
        need(HEADER_BYTES, "inside of its header");
        int width = shortAt(6);
        int height = shortAt(8);
        PictureReader.requireSize(PictureFormat.GIF, width, height);
        at = HEADER_BYTES;
        byte[] screenColours = colours(file[10]);
        Samples samples = null;
        boolean frames = false;
        while (true) {
            need(1, "before its end mark (trailer)");
            int block = file[at++] & 255;
            switch (block) {
                case TRAILER -> {
                    if (samples == null) {
                        throw PictureException.damaged(PictureFormat.GIF, "it has no frame");
                    }
                    return new StoredPicture(samples, null, Orientation.UPRIGHT, frames);
                }
                case EXTENSION -> extension(samples == null);
                case IMAGE -> {
                    if (samples == null) {
                        samples = frame(width, height, screenColours);
                    } else {
                        frames = true;
                        need(9, "inside of a frame");
                        at += 9;
                        colours(file[at - 1]);
                        need(1, "inside of a frame");
                        at++;
                        blocks(null);
                    }
                }
                default ->
                    throw PictureException.damaged(
                            PictureFormat.GIF, "block %02X at byte %d is of no known kind".formatted(block, at - 1));
            }
        }
    }

    private void extension(boolean first) throws PictureException {
        need(1, "inside of an extension");
        int label = file[at++] & 255;
        if (label == GRAPHIC_CONTROL && first) {
            need(6, "inside of an extension");
            transparent = (file[at + 1] & 1) == 0 ? NO_COLOUR : file[at + 4] & 255;
        }
        blocks(null);
    }

    /**
     * Returns the first frame, placed on the screen. The rest is transparent, or of colour 0 where no colour is, as in
     * Pillow.
     */
    private Samples frame(int width, int height, byte @Nullable [] screenColours) throws PictureException {
        need(9, "inside of its first frame");
        int left = shortAt(at);
        int top = shortAt(at + 2);
        int wide = shortAt(at + 4);
        int high = shortAt(at + 6);
        int flags = file[at + 8];
        at += 9;
        byte[] own = colours((byte) flags);
        byte[] colours = own == null ? screenColours : own;
        if (colours == null) {
            throw PictureException.unsupported(PictureFormat.GIF, "no table of colours");
        }
        PictureReader.requireSize(PictureFormat.GIF, Math.max(width, left + wide), Math.max(height, top + high));
        need(1, "inside of its first frame");
        int codeBits = file[at++] & 255;
        ByteArrayOutputStream code = new ByteArrayOutputStream();
        blocks(code);
        byte[] indices = indices(code.toByteArray(), codeBits, wide * high);
        int screenWide = Math.max(width, left + wide);
        int screenHigh = Math.max(height, top + high);
        byte[] screen = new byte[screenWide * screenHigh];
        Arrays.fill(screen, (byte) (transparent == NO_COLOUR ? 0 : transparent));
        boolean interlaced = (flags & 0x40) != 0;
        for (int row = 0; row < high; row++) {
            int y = top + (interlaced ? interlacedRow(row, high) : row);
            System.arraycopy(indices, row * wide, screen, y * screenWide + left, wide);
        }
        byte[] rgb = new byte[3 * screen.length];
        byte[] alpha = transparent == NO_COLOUR ? null : new byte[screen.length];
        for (int p = 0; p < screen.length; p++) {
            int index = screen[p] & 255;
            if (3 * index + 3 <= colours.length) {
                System.arraycopy(colours, 3 * index, rgb, 3 * p, 3);
            }
            if (alpha != null) {
                alpha[p] = (byte) (index == transparent ? 0 : 255);
            }
        }
        return new Samples(screenWide, screenHigh, Samples.Kind.RGB, rgb, alpha, false);
    }

    /** Returns the row of the picture that is stored as number {@code row} of an interlaced frame. */
    private static int interlacedRow(int row, int high) {
        int left = row;
        int[][] passes = {{0, 8}, {4, 8}, {2, 4}, {1, 2}};
        for (int[] pass : passes) {
            int rows = Math.max(0, (high - pass[0] + pass[1] - 1) / pass[1]);
            if (left < rows) {
                return pass[0] + left * pass[1];
            }
            left -= rows;
        }
        throw new IllegalArgumentException("row=" + row + " of " + high);
    }

    /** Unpacks GIF's variable-length codes (LZW) into {@code count} indices. */
    private byte[] indices(byte[] code, int codeBits, int count) throws PictureException {
        if (codeBits < 1 || codeBits >= CODE_BITS_MAX) {
            throw PictureException.damaged(PictureFormat.GIF, "codes of %d bits".formatted(codeBits));
        }
        byte[] out = new byte[count];
        int clear = 1 << codeBits;
        int[] prefix = new int[CODES_MAX];
        byte[] suffix = new byte[CODES_MAX];
        byte[] stack = new byte[CODES_MAX + 1];
        for (int i = 0; i < clear; i++) {
            suffix[i] = (byte) i;
        }
        int bits = codeBits + 1;
        int next = clear + 2;
        int previous = -1;
        int first = 0;
        int buffer = 0;
        int held = 0;
        int read = 0;
        int written = 0;
        while (written < count) {
            while (held < bits && read < code.length) {
                buffer |= (code[read++] & 255) << held;
                held += 8;
            }
            if (held < bits) {
                throw shortFrame(written, count);
            }
            int value = buffer & ((1 << bits) - 1);
            buffer >>>= bits;
            held -= bits;
            if (value == clear) {
                bits = codeBits + 1;
                next = clear + 2;
                previous = -1;
                continue;
            }
            if (value == clear + 1) {
                throw shortFrame(written, count);
            }
            if (value > next || (value == next && previous < 0) || (previous < 0 && value >= clear)) {
                throw PictureException.damaged(PictureFormat.GIF, "its first frame has an invalid code");
            }
            int depth = 0;
            int walk = value;
            if (value == next) {
                stack[depth++] = (byte) first;
                walk = previous;
            }
            while (walk >= clear) {
                stack[depth++] = suffix[walk];
                walk = prefix[walk];
            }
            first = walk;
            stack[depth++] = (byte) walk;
            while (depth > 0 && written < count) {
                out[written++] = stack[--depth];
            }
            if (previous >= 0 && next < CODES_MAX) {
                prefix[next] = previous;
                suffix[next] = (byte) first;
                next++;
                if (next == 1 << bits && bits < CODE_BITS_MAX) {
                    bits++;
                }
            }
            previous = value;
        }
        return out;
    }

    private static PictureException shortFrame(int written, int count) {
        return PictureException.cutOff(
                PictureFormat.GIF, "its first frame holds %d of %d pixels".formatted(written, count));
    }

    /** Reads a table of colours, if the flags before it announce one. */
    private byte @Nullable [] colours(byte flags) throws PictureException {
        if ((flags & 0x80) == 0) {
            return null;
        }
        int length = 3 << ((flags & 7) + 1);
        need(length, "inside of a table of colours");
        at += length;
        return Arrays.copyOfRange(file, at - length, at);
    }

    /** Reads sub-blocks up to the empty one that ends them, and gathers their bytes. */
    private void blocks(@Nullable ByteArrayOutputStream into) throws PictureException {
        while (true) {
            need(1, "inside of a block");
            int length = file[at++] & 255;
            need(length, "inside of a block");
            if (into != null) {
                into.write(file, at, length);
            }
            at += length;
            if (length == 0) {
                return;
            }
        }
    }

    private void need(int bytes, String where) throws PictureException {
        if (at + bytes > file.length) {
            throw PictureException.cutOff(
                    PictureFormat.GIF, "it ends after %d bytes, %s".formatted(file.length, where));
        }
    }

    private int shortAt(int offset) {
        return (file[offset] & 255) | (file[offset + 1] & 255) << 8;
    }
}
