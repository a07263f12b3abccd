package darkroom.edittasks.pictures;

import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Runs the decoders of the JDK from memory: a cache file of ImageIO would be closed by SIGTERM. */
final class JdkDecoders {
    private JdkDecoders() {}

    /** Use of a reader that has its input. */
    interface Use<T> {
        T with(ImageReader reader) throws IOException;
    }

    static <T> T use(String format, byte[] file, boolean ignoreMetadata, Use<T> use) throws IOException {
        ImageReader reader = ImageIO.getImageReadersByFormatName(format).next();
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
            reader.setInput(in, false, ignoreMetadata);
            return use.with(reader);
        } finally {
            reader.dispose();
        }
    }

    static BufferedImage read(String format, byte[] file) throws IOException {
        return use(format, file, true, reader -> reader.read(0));
    }

    /**
     * Returns samples without conversion of colours.
     *
     * @param warnings receives the warnings of the decoder
     */
    static Raster raster(String format, byte[] file, List<String> warnings) throws IOException {
        return use(format, file, true, reader -> {
            List<String> heard = new ArrayList<>();
            reader.addIIOReadWarningListener((_, warning) -> heard.add(warning));
            Raster raster = reader.readRaster(0, null);
            warnings.addAll(heard);
            return raster;
        });
    }
}
