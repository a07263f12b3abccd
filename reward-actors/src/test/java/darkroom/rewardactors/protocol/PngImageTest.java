package darkroom.rewardactors.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.config.PictureView;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PngImageTest {
    /** Java reads gray as linear light, and turned 140 into 196. */
    @Test
    void a_gray_picture_reaches_a_scorer_as_bright_as_it_is(@TempDir Path directory) throws IOException {
        BufferedImage gray = new BufferedImage(4, 3, BufferedImage.TYPE_BYTE_GRAY);
        int[] row = new int[4 * 3];
        Arrays.fill(row, 140);
        gray.getRaster().setPixels(0, 0, 4, 3, row);
        Path file = directory.resolve("gray.png");
        ImageIO.write(gray, "png", file.toFile());
        BufferedImage sent = PngImage.read(file, PictureView.DISPLAYED).decoded();
        assertThat(sent.getRGB(1, 1)).isEqualTo(0xff8c8c8c);
    }
}
