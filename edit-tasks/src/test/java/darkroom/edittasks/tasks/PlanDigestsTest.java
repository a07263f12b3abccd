package darkroom.edittasks.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import darkroom.edittasks.tasks.Scene.Placed;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * P-1: a row depends only on its seed and number. The digests are of the rows that models were trained on and compared by; a
 * change of one of them is another data set.
 */
final class PlanDigestsTest {
    private static final int SEEDS = 400;
    private static final int ROWS = 6;

    @ParameterizedTest
    @CsvSource({
        "ADD, d5925e394ad9d7250b65ef26d6a4efa94eeb23a51ef7b0908ff8d67e769f9d34",
        "ADJUST, 70594bb7bbda7d5fb2dc091efaa99ee1eb1ca77cfff97e945761eb96af4f666e",
        "REPLACE, 38303a1f33b06e2e2325a8544cd58e90e36aef3b5bed683ef1504b497b11d873",
        "REMOVE, dba4e37baf0361c808e8237a2d328b71f79ecfe66619dec24d4d2003b2da7a50",
        "BACKGROUND, 6e21149276e77dfb81b445bf1db3649572ac8aa05738c81473545b15ab88f283",
        "STYLE, d573fed52c2a56aa3fe25bdf751fb92c96ff91bacd5344dcc207f7f513408d2a",
        "EXTRACT, 09c371575b977c88fcef79f3c776f24372182289e0f1f5d9429bc55a751c5b29",
        "HYBRID, 6d4a1fc522145fcd931b81af141476840f9e0e16524e4d29516185dcf0066434",
        "ACTION, 6c425654c3dc97070eac178e009cdb9f12181ffad692cde59e506de0f37aeed4",
        "TEXT, 435cfd12be2a6cc9ec327c1486abab55503b78eadcc561d08ad18ea38da6516c",
        "RED_BOX, a677ccb1c65c00ad2451f8bf57ba1f15e4278288040c4566a356c06826b78d27",
        "REFERENCE, 2106941b82808442c7f9196c4fb90203fedd51fe5c50e6781a532911e2769dbd",
    })
    void the_plans_of_each_seed_and_the_number_of_draws_that_they_take_never_change(TaskType type, String sha256) {
        MessageDigest digest = digest();
        for (int objects : new int[] {TaskMix.OBJECTS_EMBEDDED, TaskMix.OBJECTS_MAX}) {
            for (Split split : List.of(Split.TRAIN, Split.UNSEEN_OBJECTS)) {
                Pool pool = Pool.of(split, objects);
                for (long seed = 0; seed < SEEDS; seed++) {
                    Draws draws = new Draws(seed, type.number());
                    Plan plan = TaskTemplate.of(type).draw(new PlanDraws(draws, pool));
                    add(digest, plan.combination().key());
                    add(digest, plan.combination().split().label());
                    add(digest, plan.request().instruction());
                    add(digest, plan.request().requirement());
                    add(digest, written(plan.source()));
                    add(digest, written(plan.target()));
                    add(digest, written(plan.wrong().first()));
                    add(digest, written(plan.wrong().second()));
                    Scene reference = plan.reference();
                    add(digest, reference == null ? "none" : written(reference));
                    add(digest, "then " + draws.below(Integer.MAX_VALUE));
                }
            }
        }
        assertThat(hex(digest)).isEqualTo(sha256);
    }

    @ParameterizedTest
    @CsvSource({
        "ADD, ae9e497194162ed02a3e1e5113680bddab04ce66cc46d7c54f273ecce543bf65",
        "ADJUST, 97a1a301cecadcc2e8921eaf38c84156c4ab6c09baa61b5634f6ffc502808ba5",
        "REPLACE, 666d341c85fe7d8d957f91211dbe3fb31eae69690e82212182fee1b292931179",
        "REMOVE, c46dcb02c458e4cae54cff923fbb66b075a8d05474ac474d5d2f55ad38b98bfe",
        "BACKGROUND, 0c58b8071f6feeb2a3abad74759457d9c34327f5730f208eb3a53f48eb225e9f",
        "STYLE, 06fb7589f1266979cc7859fcec89a01724eb86545e784148008db4f51abc64bf",
        "EXTRACT, 8451b37e64dd59c84cd8c09ba83c81a30434debe487c758df510ab06553ab035",
        "HYBRID, 542b41ad0aa5bec487741f4ae1b7eef360a3592dd96e4f6ebaea1e9d3904d7fe",
        "ACTION, 1edfc902b45912787993c5b0d53264a1cf9e37e4b39ebfe1748639d1c5fdc798",
        "TEXT, 9050507d589632785c7ea0829dc9b43df1ff39da47da5052c3dfac1ceab2194a",
        "RED_BOX, f8d2d3aa10d047996494bd77d75c2af548195aa263da4a0c81ae06022c1c0615",
        "REFERENCE, 77716fbfed45c001317b2967c474147a3e68090233da4b0ef83dbc88a28d8d07",
    })
    void the_instructions_and_pictures_of_each_row_never_change(TaskType type, String sha256) {
        MessageDigest digest = digest();
        for (int size : new int[] {32, 64}) {
            EditTasks tasks = new EditTasks(size, 11, TaskMix.evenly(List.of(type)));
            for (Split split : Split.values()) {
                for (int index = 0; index < ROWS; index++) {
                    EditTask task = tasks.render(split, index);
                    add(digest, task.id() + "\n" + task.combination());
                    add(digest, task.instruction() + "\n" + task.requirement());
                    digest.update(task.source().rgb());
                    digest.update(task.target().rgb());
                    digest.update(task.wrongTarget(0).rgb());
                    digest.update(task.wrongTarget(1).rgb());
                    if (task.reference() != null) {
                        digest.update(task.reference().rgb());
                    }
                }
            }
        }
        assertThat(hex(digest)).isEqualTo(sha256);
    }

    /** Returns all of a scene as text, whatever its records are called. */
    private static String written(Scene scene) {
        StringBuilder text = new StringBuilder(
                switch (scene.backdrop()) {
                    case Backdrop.Plain plain -> "plain " + exact(plain.level());
                    case Backdrop.Named named -> "named " + named.name();
                    case Backdrop.Photo photo ->
                        String.join(
                                " ", "photo", photo.file(), exact(photo.extent()), exact(photo.x()), exact(photo.y()));
                });
        for (Placed object : scene.objects()) {
            text.append('\n')
                    .append(String.join(
                            " ",
                            object.icon(),
                            object.set(),
                            object.tint(),
                            object.mirrored() + "",
                            object.inverted() + "",
                            exact(object.centre()),
                            exact(object.bottom()),
                            exact(object.side())));
        }
        return text.append('\n')
                .append(String.join(" ", scene.look(), scene.sign(), scene.boxed() + ""))
                .toString();
    }

    private static String exact(double value) {
        return Double.toHexString(value);
    }

    private static void add(MessageDigest digest, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        digest.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
        digest.update(bytes);
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String hex(MessageDigest digest) {
        return HexFormat.of().formatHex(digest.digest());
    }
}
