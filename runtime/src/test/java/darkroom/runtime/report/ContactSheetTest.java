package darkroom.runtime.report;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.actors.ledger.LedgerEvent;
import darkroom.edittasks.pictures.RgbImage;
import darkroom.runtime.base.RunDirectory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContactSheetTest {
    @TempDir
    Path directory = Path.of("unset");

    /** P-9. */
    @Property(tries = 60)
    void a_cell_is_never_longer_than_its_bound(
            @ForAll @IntRange(min = 1, max = 700) int width, @ForAll @IntRange(min = 1, max = 700) int height) {
        RgbImage image = noise(width, height, 1);
        ContactSheet.Scale scale = ContactSheet.Scale.of(image);

        assertThat(Math.max(scale.width(), scale.height()))
                .isBetween(ContactSheet.CELL_SIDE / 2, ContactSheet.CELL_SIDE);
        RgbImage fitted = scale.fit(image);
        assertThat(fitted.width() * scale.magnification()).isEqualTo(scale.width());
        assertThat(fitted.height() * scale.magnification()).isEqualTo(scale.height());
    }

    @Test
    void small_images_come_back_pixel_by_pixel() {
        RunDirectory run = new RunDirectory(directory);
        for (int side : new int[] {1, 5, 32, 64, 100, 128}) {
            List<List<RgbImage>> images = new ArrayList<>();
            List<ContactSheet.Row> rows = new ArrayList<>();
            for (int r = 0; r < 3; r++) {
                images.add(List.of(noise(side, side, r), noise(side, side, r + 10)));
                ContactSheet.Cell cell = new ContactSheet.Cell(
                        ContactSheet.Role.EDIT, OptionalDouble.of(.5), OptionalDouble.empty(), null);
                rows.add(new ContactSheet.Row(
                        "row", "add", "add it", LedgerEvent.Fate.KEPT, "kept", List.of(cell, cell)));
            }
            ContactSheet.Scale scale = ContactSheet.Scale.of(images.getFirst().getFirst());
            ContactSheet sheet = new ContactSheet(
                    "sheets/one.png",
                    ContactSheet.Kind.TRAINING,
                    0,
                    scale.width(),
                    scale.height(),
                    scale.magnification(),
                    rows);
            RunDirectory.write(
                    run.picture(sheet.file()),
                    ContactSheet.rollout(scale, new ArrayList<>(images)).png());

            assertThat(sheet.images(run)).isEqualTo(images);
        }
    }

    @Test
    void a_large_image_becomes_the_mean_of_what_it_covers() {
        byte[] rgb = new byte[3 * 256 * 256];
        for (int i = 0; i < rgb.length; i++) {
            rgb[i] = (byte) (i / 3 % 2 == 0 ? 100 : 200);
        }
        RgbImage image = RgbImage.of(256, 256, rgb);
        RgbImage fitted = ContactSheet.Scale.of(image).fit(image);

        assertThat(fitted.width()).isEqualTo(128);
        assertThat(fitted.channel(7, 9, 1)).isEqualTo(150);
    }

    private static RgbImage noise(int width, int height, long seed) {
        byte[] rgb = new byte[3 * width * height];
        new Random(seed).nextBytes(rgb);
        return RgbImage.of(width, height, rgb);
    }
}
