package darkroom.edittasks.pictures;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RgbImageTest {
    @Property(tries = 50)
    void png_and_planar_floats_both_lead_back_to_the_same_bytes(@ForAll @Size(5 * 4 * 3) byte[] rgb)
            throws IOException {
        RgbImage image = RgbImage.of(5, 4, rgb);
        assertThat(RgbImage.decode(image.png())).isEqualTo(image);
        float[] planar = new float[62];
        image.planar(planar, 2);
        assertThat(RgbImage.fromPlanar(planar, 2, 5, 4)).isEqualTo(image);
        assertThat(RgbImage.of(5, 4, rgb).sha256()).isEqualTo(image.sha256());
    }

    @Test
    void values_beyond_the_range_are_clamped_and_planes_are_channels() {
        RgbImage image = RgbImage.fromPlanar(new float[] {-3, 7, 0, 1, Float.NaN, -1}, 0, 2, 1);
        assertThat(image.channel(0, 0, 0)).isZero();
        assertThat(image.channel(1, 0, 0)).isEqualTo(255);
        assertThat(image.channel(0, 0, 1)).isEqualTo(128);
        assertThat(image.channel(0, 0, 2)).isZero();
    }

    /** The runtime closes files of its image library while SIGTERM still lets a run finish. */
    @Test
    void a_picture_is_written_and_read_without_a_file(@TempDir Path folder) throws IOException {
        File before = ImageIO.getCacheDirectory();
        ImageIO.setCacheDirectory(folder.toFile());
        try {
            Files.delete(folder);
            RgbImage image = RgbImage.of(2, 2, new byte[12]);
            assertThat(RgbImage.decode(image.png())).isEqualTo(image);
        } finally {
            ImageIO.setCacheDirectory(before);
        }
    }

    @Test
    void damaged_and_foreign_bytes_are_refused_with_a_reason() {
        byte[] png = RgbImage.of(2, 2, new byte[12]).png();
        assertThatThrownBy(() -> RgbImage.decode(Arrays.copyOf(png, 40))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> RgbImage.decode("hello".getBytes(StandardCharsets.US_ASCII)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("in no known format (5 bytes)");
        assertThatThrownBy(() -> RgbImage.of(2, 2, new byte[3])).hasMessageContaining("2x2");
    }

    @Test
    void pictures_of_equal_bytes_and_different_shape_differ() {
        assertThat(RgbImage.of(2, 3, new byte[18])).isNotEqualTo(RgbImage.of(3, 2, new byte[18]));
        assertThat(RgbImage.of(2, 3, new byte[18]).sha256())
                .isNotEqualTo(RgbImage.of(3, 2, new byte[18]).sha256());
    }
}
