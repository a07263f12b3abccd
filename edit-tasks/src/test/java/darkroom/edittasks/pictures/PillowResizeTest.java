package darkroom.edittasks.pictures;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.edittasks.pictures.PillowResize.Filter;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class PillowResizeTest {
    /** From Pillow 13.0.0: SHA-256 of {@code image.resize((w, h), filter).tobytes()}. */
    @ParameterizedTest
    @CsvSource({
        "BICUBIC, 7, 5, 16, 11, ce9483bd5c8d851aa8b9c6f5775e3507cc6b7d244ed63c5a209c61d51f6b793e",
        "LANCZOS, 7, 5, 16, 11, cc04f1a08298eb366efff1cbf2f5cbcbf2578b206a6abde3a3c503ce6b7f8eff",
        "BICUBIC, 40, 30, 9, 8, 44872355537f24f86e244466eb8340af105e517928868b924db450c57c47b5aa",
        "LANCZOS, 40, 30, 9, 8, 9e2464e4319c39d0e961e4177cb5a60f40084df6d9af0cc7150f1c1485030e4f",
        "BICUBIC, 16, 16, 16, 5, 9bea5b39b67b863648dd4d0f9d11cb0716118efe29d743350eedc798106a5a22",
        "LANCZOS, 16, 16, 16, 5, 90eca3b372aba11afcf26d17155442ec63cae0adea9557edb6f26ed9312e8091",
        "BICUBIC, 6, 6, 13, 6, de2915270d57d5db23796a54b4d563192da2156ed159650e4d4b617eb1710502",
        "LANCZOS, 6, 6, 13, 6, 1d3ae6fa3ed57bac80a224b028ea5e273768c8fb07e9e23bbccc103fe5156bf8",
        "BICUBIC, 64, 48, 64, 48, b9172edf7b36dc50ccc54051c6b39edd5c5e12705929aa774e73e4ecf6a21805",
        "LANCZOS, 64, 48, 64, 48, b9172edf7b36dc50ccc54051c6b39edd5c5e12705929aa774e73e4ecf6a21805",
        "BICUBIC, 3, 3, 1, 1, 8a7e403e589626f03e068bbd5f140394486491af2307c4d8ec551d260ed982dd",
        "LANCZOS, 3, 3, 1, 1, 8a7e403e589626f03e068bbd5f140394486491af2307c4d8ec551d260ed982dd"
    })
    void every_bit_is_pillows(Filter filter, int width, int height, int toWidth, int toHeight, String sha256)
            throws NoSuchAlgorithmException {
        RgbImage resized = PillowResize.resized(pattern(width, height), toWidth, toHeight, filter);
        assertThat(resized.width()).isEqualTo(toWidth);
        assertThat(resized.height()).isEqualTo(toHeight);
        assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(resized.rgb())))
                .isEqualTo(sha256);
    }

    @ParameterizedTest
    @EnumSource(Filter.class)
    void one_colour_stays_one_colour(Filter filter) {
        RgbImage grey = RgbImage.of(1, 1, new byte[] {77, 77, 77});
        assertThat(PillowResize.resized(grey, 5, 3, filter).rgb()).containsOnly(77);
    }

    private static RgbImage pattern(int width, int height) {
        byte[] rgb = new byte[3 * width * height];
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                int at = 3 * (y * width + x);
                rgb[at] = (byte) (x * 37 + y * 91);
                rgb[at + 1] = (byte) (x * x * 13 + y * 7);
                rgb[at + 2] = (byte) ((x * 5) ^ (y * 29));
            }
        }
        return RgbImage.of(width, height, rgb);
    }
}
