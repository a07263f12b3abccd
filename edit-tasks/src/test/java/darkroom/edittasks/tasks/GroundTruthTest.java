package darkroom.edittasks.tasks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import darkroom.edittasks.pictures.RgbImage;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class GroundTruthTest {
    private static RgbImage plain(int value) {
        byte[] rgb = new byte[3 * 16];
        Arrays.fill(rgb, (byte) value);
        return RgbImage.of(4, 4, rgb);
    }

    private static RgbImage with(RgbImage image, int values, int value) {
        byte[] rgb = image.rgb();
        Arrays.fill(rgb, 0, values, (byte) value);
        return RgbImage.of(4, 4, rgb);
    }

    @Test
    void the_exact_target_scores_one_and_the_unedited_source_zero() {
        RgbImage source = plain(100);
        RgbImage target = with(source, 12, 200);
        assertThat(GroundTruth.measure(source, target, target).score()).isEqualTo(1);
        assertThat(GroundTruth.measure(source, source, target).score()).isZero();
        assertThat(GroundTruth.measure(source, source, target).outside()).isEqualTo(1);
        assertThat(GroundTruth.measure(source, source, target).maskPixels()).isEqualTo(4);
    }

    @Test
    void half_the_way_inside_with_a_shifted_outside_scores_the_geometric_mean() {
        RgbImage source = plain(100);
        RgbImage target = with(source, 12, 200);
        RgbImage edited = with(plain(125), 12, 150);
        GroundTruth truth = GroundTruth.measure(source, edited, target);
        assertThat(truth.inside()).isEqualTo(.5, within(1e-6));
        assertThat(truth.outside()).isEqualTo(1 - 25 / 255.0 / .25, within(1e-6));
        assertThat(truth.score()).isEqualTo(Math.sqrt(truth.inside() * truth.outside()), within(1e-12));
        assertThat(truth.psnrOutside()).isEqualTo(-20 * Math.log10(25 / 255.0), within(1e-4));
    }

    @Test
    void when_nearly_nothing_lies_outside_then_the_outside_counts_as_kept() {
        RgbImage source = plain(100);
        RgbImage target = with(source, 39, 200);
        RgbImage spoilt = with(plain(0), 39, 200);
        assertThat(GroundTruth.measure(source, spoilt, target).outside()).isEqualTo(1);
    }

    @Test
    void when_the_target_changes_nothing_then_only_the_outside_counts() {
        assertThat(GroundTruth.measure(plain(9), plain(9), plain(9)).score()).isEqualTo(1);
        assertThat(GroundTruth.measure(plain(9), plain(73), plain(9)).score()).isLessThan(.1);
    }

    @Test
    void pictures_of_different_sizes_are_refused() {
        assertThatThrownBy(() -> GroundTruth.measure(plain(1), plain(1), RgbImage.of(1, 1, new byte[3])))
                .hasMessageContaining("4x4");
    }
}
