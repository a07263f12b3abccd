package darkroom.edittasks.pictures;

import java.awt.color.CMMException;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.ColorConvertOp;
import java.awt.image.DataBuffer;
import java.awt.image.DataBufferByte;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import org.jspecify.annotations.Nullable;

/** Conversion from the colours of an ICC profile to sRGB, by the JDK's LittleCMS, with the perceptual intent. */
final class ColourProfile {
    /** A profile that moves no probed colour by more than this, of 255, counts as sRGB. */
    private static final int SRGB_DISTANCE_MAX = 2;

    private static final int PROBE_STEPS = 6;

    private ColourProfile() {}

    /** The outcome of a conversion. */
    sealed interface Result {
        /** @param rgb UINT8 [height, width, 3] */
        @SuppressWarnings("ArrayRecordComponent")
        record Converted(byte[] rgb) implements Result {}

        /** The samples are sRGB, or so near that a conversion would only add rounding. */
        record AlreadySrgb() implements Result {}

        /** The profile is damaged, or for other samples. */
        record Unusable() implements Result {}
    }

    static Result toSrgb(byte[] profile, Samples samples) {
        try {
            ICC_Profile source = ICC_Profile.getInstance(profile);
            int bands = samples.kind().bands();
            int space =
                    switch (samples.kind()) {
                        case GRAY -> ColorSpace.TYPE_GRAY;
                        case RGB -> ColorSpace.TYPE_RGB;
                        case CMYK -> ColorSpace.TYPE_CMYK;
                    };
            if (source.getColorSpaceType() != space) {
                return new Result.Unusable();
            }
            ColorConvertOp conversion =
                    new ColorConvertOp(new ICC_Profile[] {source, ICC_Profile.getInstance(ColorSpace.CS_sRGB)}, null);
            if (samples.kind() == Samples.Kind.GRAY) {
                return gray(conversion, samples);
            }
            if (samples.kind() == Samples.Kind.RGB && isSrgb(conversion)) {
                return new Result.AlreadySrgb();
            }
            return new Result.Converted(
                    converted(conversion, samples.bytes(), samples.width(), samples.height(), bands));
        } catch (IllegalArgumentException | CMMException e) {
            return new Result.Unusable();
        }
    }

    private static Result gray(ColorConvertOp conversion, Samples samples) {
        byte[] ramp = new byte[256];
        for (int v = 0; v < 256; v++) {
            ramp[v] = (byte) v;
        }
        byte[] table = converted(conversion, ramp, 256, 1, 1);
        boolean same = true;
        for (int i = 0; i < table.length; i++) {
            same &= Math.abs((table[i] & 255) - i / 3) <= SRGB_DISTANCE_MAX;
        }
        if (same) {
            return new Result.AlreadySrgb();
        }
        byte[] bytes = samples.bytes();
        byte[] rgb = new byte[3 * bytes.length];
        for (int p = 0; p < bytes.length; p++) {
            System.arraycopy(table, 3 * (bytes[p] & 255), rgb, 3 * p, 3);
        }
        return new Result.Converted(rgb);
    }

    private static boolean isSrgb(ColorConvertOp conversion) {
        int n = PROBE_STEPS;
        byte[] probe = new byte[3 * n * n * n];
        for (int i = 0; i < probe.length; i++) {
            int p = i / 3;
            int step = i % 3 == 0 ? p / (n * n) : i % 3 == 1 ? p / n % n : p % n;
            probe[i] = (byte) (step * 255 / (n - 1));
        }
        byte[] out = converted(conversion, probe, n * n * n, 1, 3);
        for (int i = 0; i < out.length; i++) {
            if (Math.abs((out[i] & 255) - (probe[i] & 255)) > SRGB_DISTANCE_MAX) {
                return false;
            }
        }
        return true;
    }

    private static byte[] converted(ColorConvertOp conversion, byte[] samples, int width, int height, int bands) {
        WritableRaster from = raster(samples, width, height, bands);
        WritableRaster to = raster(null, width, height, 3);
        conversion.filter(from, to);
        return ((DataBufferByte) to.getDataBuffer()).getData();
    }

    private static WritableRaster raster(byte @Nullable [] samples, int width, int height, int bands) {
        if (samples == null) {
            return Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, width, height, bands, null);
        }
        int[] offsets = new int[bands];
        for (int b = 0; b < bands; b++) {
            offsets[b] = b;
        }
        return Raster.createInterleavedRaster(
                new DataBufferByte(samples, samples.length), width, height, width * bands, bands, offsets, null);
    }
}
