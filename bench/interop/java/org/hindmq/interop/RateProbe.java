package org.hindmq.interop;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;

import javax.jms.BytesMessage;
import javax.jms.Connection;
import javax.jms.MessageConsumer;
import javax.jms.MessageProducer;
import javax.jms.Queue;
import javax.jms.Session;

import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/**
 * Confirmed durable sends: each producer has a connection of its own and one send in flight. Prints one JSON object.
 *
 * <pre>usage: RateProbe URL USER PASSWORD QUEUE PRODUCERS CONSUMERS SIZE WARMUP_SECONDS SECONDS</pre>
 */
public final class RateProbe {
   private final String[] a;
   private final int producers;
   private final int consumers;
   private final int size;
   private final AtomicLong received = new AtomicLong();
   private final List<long[]> latencies = new ArrayList<>();
   private volatile long from;
   private volatile long to;
   private volatile boolean done;

   private RateProbe(String[] a) {
      this.a = a;
      producers = Integer.parseInt(a[4]);
      consumers = Integer.parseInt(a[5]);
      size = Integer.parseInt(a[6]);
   }

   public static void main(String[] a) throws Exception {
      if (a.length != 9) {
         System.err.println("usage: RateProbe URL USER PASSWORD QUEUE PRODUCERS CONSUMERS SIZE WARMUP_SECONDS SECONDS");
         System.exit(2);
      }
      new RateProbe(a).run();
      Runtime.getRuntime().halt(0);
   }

   private void run() throws Exception {
      CountDownLatch ready = new CountDownLatch(producers + consumers);
      CountDownLatch go = new CountDownLatch(1);
      List<Thread> threads = new ArrayList<>();
      for (int i = 0; i < consumers; i++) thread(() -> consume(ready)).start();
      for (int i = 0; i < producers; i++) {
         Thread t = thread(() -> produce(ready, go));
         threads.add(t);
         t.start();
      }
      ready.await();
      from = System.nanoTime() + Long.parseLong(a[7]) * 1_000_000_000L;
      to = from + Long.parseLong(a[8]) * 1_000_000_000L;
      go.countDown();
      for (Thread t : threads) t.join();
      done = true;
      print();
   }

   private static Thread thread(GapProbe.Work w) {
      return new Thread(() -> {
         try {
            w.run();
         } catch (Exception e) {
            System.err.println("rate probe: " + Load.text(e));
            Runtime.getRuntime().halt(1);
         }
      });
   }

   private void produce(CountDownLatch ready, CountDownLatch go) throws Exception {
      Connection c = new ActiveMQConnectionFactory(a[0]).createConnection(a[1], a[2]);
      Session s = c.createSession(false, Session.AUTO_ACKNOWLEDGE);
      MessageProducer p = s.createProducer(s.createQueue(a[3]));
      byte[] body = new byte[size];
      long[] took = new long[1 << 12];
      int n = 0;
      ready.countDown();
      go.await();
      for (long start = System.nanoTime(); start < to; ) {
         BytesMessage m = s.createBytesMessage();
         m.writeBytes(body);
         p.send(m);
         long end = System.nanoTime();
         if (start >= from && end <= to) {
            if (n == took.length) took = Arrays.copyOf(took, 2 * n);
            took[n++] = end - start;
         }
         start = end;
      }
      synchronized (latencies) {
         latencies.add(Arrays.copyOf(took, n));
      }
      c.close();
   }

   private void consume(CountDownLatch ready) throws Exception {
      Connection c = new ActiveMQConnectionFactory(a[0]).createConnection(a[1], a[2]);
      c.start();
      Session s = c.createSession(false, Session.AUTO_ACKNOWLEDGE);
      Queue q = s.createQueue(a[3]);
      MessageConsumer mc = s.createConsumer(q);
      ready.countDown();
      while (!done) {
         if (mc.receive(100) == null) continue;
         long now = System.nanoTime();
         if (from != 0 && now >= from && now <= to) received.incrementAndGet();
      }
   }

   private void print() {
      int n = 0;
      for (long[] l : latencies) n += l.length;
      long[] all = new long[n];
      int at = 0;
      for (long[] l : latencies) {
         System.arraycopy(l, 0, all, at, l.length);
         at += l.length;
      }
      Arrays.sort(all);
      double seconds = (to - from) / 1e9;
      System.out.printf(Locale.ROOT, "{\"producers\":%d,\"consumers\":%d,\"size\":%d,\"seconds\":%.1f,\"confirmed\":%d,\"rate\":%.0f,\"received\":%.0f,"
         + "\"p50us\":%.1f,\"p90us\":%.1f,\"p99us\":%.1f,\"p999us\":%.1f,\"maxus\":%.1f}%n", producers, consumers, size, seconds, n, n / seconds,
         received.get() / seconds, at(all, 0.5), at(all, 0.9), at(all, 0.99), at(all, 0.999), at(all, 1));
      System.out.flush();
   }

   private static double at(long[] sorted, double q) {
      if (sorted.length == 0) return 0;
      return sorted[Math.min(sorted.length - 1, (int) (q * sorted.length))] / 1e3;
   }
}
