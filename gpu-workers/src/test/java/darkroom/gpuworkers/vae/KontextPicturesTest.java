package darkroom.gpuworkers.vae;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import darkroom.edittasks.pictures.PillowResize;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.gpuworkers.pretrained.ReferenceCase;
import darkroom.gpuworkers.vae.KontextPictures.Size;
import java.io.IOException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class KontextPicturesTest {
    static Stream<String> resizings() {
        return ReferenceCase.names("resize");
    }

    @ParameterizedTest
    @MethodSource("resizings")
    void a_resized_picture_is_that_of_pillow(String name) throws IOException {
        try (ReferenceCase reference = ReferenceCase.open(name)) {
            long[] shape = reference.shape("pixels");
            RgbImage picture = RgbImage.owning((int) shape[1], (int) shape[0], reference.bytes("pixels"));
            RgbImage resized = PillowResize.resized(
                    picture,
                    reference.parameter("width").intValue(),
                    reference.parameter("height").intValue(),
                    PillowResize.Filter.LANCZOS);
            assertThat(resized.bytes()).isEqualTo(reference.bytes("resized"));
        }
    }

    /** Sizes of {@code min((abs(ratio - w / h), w, h))} over the pipeline's list, the ratio that of the floored size. */
    @ParameterizedTest
    @CsvSource({
        "140, 90, 1328, 800",
        "90, 140, 800, 1328",
        "512, 512, 1024, 1024",
        "10000, 16, 1568, 672",
        "16, 10000, 672, 1568",
        "1920, 1080, 1392, 752"
    })
    void the_preferred_size_has_the_nearest_ratio(int width, int height, int toWidth, int toHeight) {
        assertThat(KontextPictures.preferredSize(width, height)).isEqualTo(new Size(toWidth, toHeight));
    }

    @Test
    void a_reference_keeps_its_size_down_to_multiples_of_16() {
        RgbImage reference = KontextPictures.reference(gradient(70, 100), false);
        assertThat(new Size(reference.width(), reference.height())).isEqualTo(new Size(64, 96));
        assertThatThrownBy(() -> KontextPictures.reference(gradient(70, 15), false))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("a picture of 70x15 pixels; sides have at least 16");
    }

    /** The crop of Edit-R1: left = (width - side) // 2, top = (height - side) // 2. */
    @Test
    void a_source_of_training_is_the_central_square() {
        RgbImage square = KontextPictures.trainingSquare(gradient(9, 4), 4);
        for (int y = 0; y < 4; y++) {
            for (int x = 0; x < 4; x++) {
                assertThat(square.channel(x, y, 0)).isEqualTo(x + 2);
                assertThat(square.channel(x, y, 1)).isEqualTo(y);
            }
        }
        assertThat(KontextPictures.trainingSquare(gradient(4, 7), 4).channel(0, 0, 1))
                .isEqualTo(1);
    }

    @Test
    void a_picture_is_the_same_after_its_way_through_pixels() {
        byte[] rgb = new byte[3 * 256];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i * 5);
        }
        RgbImage picture = RgbImage.of(16, 16, rgb);
        float[] pixels = KontextPictures.pixels(picture);
        assertThat(pixels[0]).isEqualTo(-1f);
        assertThat(KontextPictures.picture(pixels, 16, 16)).isEqualTo(picture);
    }

    @Test
    void values_are_clamped_and_rounded_half_to_even() {
        assertThat(KontextPictures.picture(new float[] {-7f, 1.5f, -0.49411765f}, 1, 1)
                        .rgb())
                .containsExactly(0, 255, 64);
        assertThatThrownBy(() -> KontextPictures.picture(new float[] {0, Float.NaN, 0}, 1, 1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageStartingWith("channel 1 of pixel (0, 0) is no number");
    }

    private static RgbImage gradient(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        for (int i = 0; i < width * height; i++) {
            rgb[3 * i] = (byte) (i % width);
            rgb[3 * i + 1] = (byte) (i / width);
        }
        return RgbImage.of(width, height, rgb);
    }
}
